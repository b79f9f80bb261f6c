"""Puts a verifier over what keeps the tokens, so that neither package needs to know the other."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from uuid import UUID

from gatepass.errors import GatepassError, Unavailable
from gatepass.interfaces import Clock, Keyring, Store
from gatepass.model.instant import truncate
from gatepass.model.presented import PresentedToken
from gatepass.model.verdict import Reason, Verdict
from gatepass.services.judge_token import judge_token
from gatepass.services.record_token_use import record_token_use
from gatepass.verifier.uses import MOST_AT_ONCE, UseCounter
from gatepass.verifier.verifier import Verifier

FLUSH_SECONDS = 2.0
_LAST_TRIES = 3


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant in whole milliseconds."""
        return truncate(datetime.now(UTC))  # noqa: TID251  this is the clock


class StoreSource:
    """Verdicts straight from a store: inline where a look-up takes microseconds, else many at a time."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        """Read from `store`."""
        self._store = store
        self._keyring = keyring
        self._answers_inline = store.answers_inline

    def peek(self, presented: PresentedToken) -> Verdict | None:
        """Look the token up and judge it, if the store answers inline."""
        if not self._answers_inline:
            return None
        return judge_token(self._store.find_verification(presented.id), presented, keyring=self._keyring)

    def fetch(self, presented: Sequence[PresentedToken]) -> Sequence[Verdict]:
        """Judge many."""
        found = self._store.find_verifications([each.id for each in presented]).found
        return [judge_token(found.get(each.id), each, keyring=self._keyring) for each in presented]


class UseWriter:
    """Counts uses, and writes them into a store: at once the first of a token, later ones twice a minute."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:  # noqa: TID251  the clock
        """Begin with nothing to write."""
        self.counter = UseCounter()
        self.accepted = 0
        """How many accepted requests were written."""
        self._store = store
        self._now = now

    def record(self, token_id: UUID) -> None:
        """Note that a token was accepted just now."""
        self.counter.accepted(token_id.int, self._now())

    def refused(self, token_id: UUID | None, reason: Reason) -> None:
        """Note that a token was refused just now. What is no known token is not noted: strangers invent any number."""
        if token_id is not None:
            self.counter.refused(token_id.int, reason, self._now())

    def flush(self, *, everything: bool = False) -> None:
        """Write what is due, in short transactions; with `everything`, also what could wait.

        To be called every FLUSH_SECONDS. If the store fails it is kept for the next time, and
        Unavailable raised.
        """
        self._store.check()
        more = True
        while more:
            with self.counter.taken(self._now(), everything=everything) as uses:
                record_token_use(self._store, uses)
            self.accepted += sum(each.count for each in uses.counts if each.reason is None)
            more = len(uses.counts) >= MOST_AT_ONCE

    def flush_last(self) -> None:
        """Write everything at the end; a store that is busy with somebody else's change is asked again."""
        for _ in range(_LAST_TRIES - 1):
            with suppress(Unavailable):
                self.flush(everything=True)
                return
        self.flush(everything=True)


def verifier_over(store: Store, keyring: Keyring, clock: Clock) -> Verifier:
    """Return a verifier over an open store, telling the time by `clock`."""
    return Verifier(StoreSource(store, keyring), store, now=lambda: clock.now().timestamp())


def check_ready(store: Store, keyring: Keyring) -> None:
    """Raise Unavailable unless the store answers and there is a pepper."""
    store.check()
    number, _ = keyring.current_pepper()
    if number < 1:
        raise Unavailable("there is no pepper")


class EmbeddedVerifier(Verifier):
    """A verifier that opened its store itself, and closes it. A thread of its own writes what was used."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        """Judge by what is in `store`."""
        self.uses = UseWriter(store)
        super().__init__(StoreSource(store, keyring), store, uses=self.uses.counter)
        self.store = store
        self.keyring = keyring
        self._closing = threading.Event()
        self._writing = threading.Thread(target=self._write_uses, name="gatepass-uses", daemon=True)
        self._writing.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check_ready(self) -> None:
        """Raise Unavailable unless tokens can be looked up and judged."""
        check_ready(self.store, self.keyring)

    def close(self) -> None:
        """Write the last uses, and let go of the store. Raises Unavailable if they could not be written."""
        self._closing.set()
        self._writing.join()
        try:
            self.uses.flush_last()
        finally:
            self.store.close()

    def _write_uses(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            with suppress(GatepassError):  # it is kept, and written when the store is back
                self.uses.flush()


def open_verifier(data: str | Path, *, database: str = "") -> EmbeddedVerifier:
    """Open a verifier beside the server of the installation in the directory `data`, on the same host.

    It needs `gatepass[server]`. A token deleted by any process is refused here before the call that
    deleted it returns. With `database`, the URL of the installation's PostgreSQL database, the host may
    be another one with a copy of the key file in `data`; then each request is looked up there. Raises
    BadConfiguration if there is no installation that can be used, Unavailable if it is out of reach.
    """
    # Here, and not above: a verifier over a server far away needs neither of them.
    from gatepass.stores import open_store  # noqa: PLC0415
    from gatepass.stores.keyfile import KeyFile  # noqa: PLC0415

    folder = Path(data)
    store = open_store(folder, database)
    return EmbeddedVerifier(store, KeyFile(folder / "gatepass.keys"))
