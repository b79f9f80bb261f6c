"""Hands counted uses of tokens on, every few seconds, to whatever keeps them."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from gatepass.errors import GatepassError, Unavailable
from gatepass.model.use import Uses
from gatepass.model.verdict import Reason
from gatepass.verifier.uses import MOST_AT_ONCE, UseCounter

FLUSH_SECONDS = 2.0
_LAST_TRIES = 3


class UseSender(ABC):
    """Counts uses, and hands them on: at once the first of a token, later ones twice a minute."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:  # noqa: TID251  the clock
        """Begin with nothing to hand on."""
        self.counter = UseCounter()
        self.accepted = 0
        """How many accepted requests were written."""
        self._now = now

    @abstractmethod
    def _check(self) -> None:
        """Raise Unavailable if they cannot be written at present."""

    @abstractmethod
    def _write(self, uses: Uses) -> None:
        """Write all of them, or raise Unavailable."""

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
        self._check()
        more = True
        while more:
            with self.counter.taken(self._now(), everything=everything) as uses:
                self._write(uses)
            self.accepted += sum(each.count for each in uses.counts if each.reason is None)
            more = len(uses.counts) >= MOST_AT_ONCE

    def flush_last(self) -> None:
        """Write everything at the end; a store that is busy with somebody else's change is asked again."""
        for _ in range(_LAST_TRIES - 1):
            with suppress(Unavailable):
                self.flush(everything=True)
                return
        self.flush(everything=True)


class UseThread:
    """Hands on what was used every few seconds, and the rest at the end."""

    def __init__(self, uses: UseSender) -> None:
        """Begin."""
        self._uses = uses
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gatepass-uses", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write the last uses. Raises Unavailable if they could not be written."""
        self._closing.set()
        self._thread.join()
        self._uses.flush_last()

    def _run(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            with suppress(GatepassError):  # it is kept, and written when whoever takes it is back
                self._uses.flush()
