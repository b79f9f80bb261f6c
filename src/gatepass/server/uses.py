"""Uses of tokens at the doors of one server: counted in memory, written every two seconds."""

from uuid import UUID

from gatepass.model.verdict import Reason
from gatepass.services.deps import Deps
from gatepass.services.record_token_use import record_token_use
from gatepass.verifier.uses import MOST_AT_ONCE, UseCounter

FLUSH_SECONDS = 2.0


class UseRecorder:
    """Takes note of accepted and refused requests at the cost of a dict look-up."""

    def __init__(self, deps: Deps) -> None:
        """Begin with nothing to write."""
        self._deps = deps
        self.counter = UseCounter()

    def record(self, token_id: UUID) -> None:
        """Note that a token was accepted just now."""
        self.counter.accepted(token_id, self._deps.clock.now())

    def refused(self, token_id: UUID | None, reason: Reason) -> None:
        """Note that a token was refused just now. What is no known token is not noted: strangers invent any number."""
        if token_id is not None:
            self.counter.refused(token_id, reason, self._deps.clock.now())

    def flush(self, *, everything: bool = False) -> None:
        """Write what is due, in short transactions; with `everything`, also what could wait.

        If the store fails it is kept for the next time, and Unavailable raised.
        """
        more = True
        while more:
            with self.counter.taken(self._deps.clock.now(), everything=everything) as uses:
                record_token_use(self._deps, uses)
            more = len(uses.counts) >= MOST_AT_ONCE
