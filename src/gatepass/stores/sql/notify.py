"""Hints that something changed in a PostgreSQL database, as they come: LISTEN, on a connection of its own.

A hint may be lost and may be one of nothing new. Whoever hears one looks how far the changes have come.
"""

import threading
from collections.abc import Callable
from contextlib import closing

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.stores.sql.hosts import hosts_of
from gatepass.stores.sql.postgres_connection import RawConnection, is_behind_pooler, translated

CHANNEL = "gatepass"
_TURN_SECONDS = 0.5
"""How soon the thread notices that it shall end."""
_PROOF_SECONDS = 10
"""After so long without a hint the connection is asked whether it is alive."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class HintListener:
    """A thread that calls a function for each hint, and whenever it has connected: some may have been missed."""

    def __init__(self, url: str, heard: Callable[[], None], *, report: Callable[[str], None] = lambda _: None) -> None:
        """Listen to the database at `url`. `heard` must be quick; `report` hears what goes wrong.

        Where a pooler such as PgBouncer sits in between there are no hints: that is reported, once, and
        nothing more is done.
        """
        self.is_deaf = True
        """Whether there is nothing to be heard at present."""
        self._hosts = hosts_of(url)
        self._heard = heard
        self._report = report
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gatepass-hints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closing.is_set():
            try:
                with closing(self._hosts.connect()) as raw:
                    _require_direct(raw)
                    with translated():
                        raw.execute(f"LISTEN {CHANNEL}".encode())
                        self.is_deaf = False
                        self._heard()
                        pause = _FIRST_PAUSE
                        self._listen(raw)
            except BadConfiguration as error:
                self._report(str(error))
                return
            except Unavailable as error:
                self.is_deaf = True
                self._report(str(error))
                self._closing.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _listen(self, raw: RawConnection) -> None:
        """Listen until it is closing, or others are connected elsewhere. Raises Unavailable."""
        quiet = 0.0
        while self._hosts.is_current(raw) and not self._closing.is_set():
            hints = list(raw.notifies(timeout=_TURN_SECONDS, stop_after=1))
            if hints:
                self._heard()
            quiet = 0.0 if hints else quiet + _TURN_SECONDS
            if quiet >= _PROOF_SECONDS:
                raw.execute("SELECT 1")  # a dead line says nothing by itself
                quiet = 0.0


def notify(raw: RawConnection, revision: int) -> None:
    """Let those who listen hear of a change when the open transaction is committed. Raises Unavailable."""
    with translated():
        raw.execute("SELECT pg_notify(%s, %s)", (CHANNEL, str(revision)))


def _require_direct(raw: RawConnection) -> None:
    if is_behind_pooler(raw):
        raise BadConfiguration(
            "store.database", "leads to a pooler: changes are noticed by asking, not by hints of the database"
        )
