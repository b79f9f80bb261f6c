"""Last uses of tokens, gathered in memory and written every two seconds."""

import threading
from datetime import datetime, timedelta
from uuid import UUID

from gatepass.services.deps import Deps
from gatepass.services.record_token_use import record_token_use

FLUSH_SECONDS = 2.0
_EXACT_TO = timedelta(seconds=30)
"""A token used all the time is written this often, not at every flush."""
_MOST_REMEMBERED = 100_000


class UseRecorder:
    """Takes note of accepted requests at the cost of a dict write."""

    def __init__(self, deps: Deps) -> None:
        """Begin with nothing to write."""
        self._deps = deps
        self._waiting: dict[UUID, datetime] = {}
        self._written: dict[UUID, datetime] = {}
        self._lock = threading.Lock()

    def record(self, token_id: UUID) -> None:
        """Note that a token was accepted just now."""
        now = self._deps.clock.now()
        with self._lock:
            self._waiting[token_id] = now

    def waiting(self) -> int:
        """Return how many tokens have a use that is not written yet."""
        return len(self._waiting)

    def flush(self, *, everything: bool = False) -> None:
        """Write what is due in one transaction; with `everything`, also what could wait.

        If the store fails it is kept for the next time, and Unavailable raised.
        """
        with self._lock:
            taken, self._waiting = self._waiting, {}
        due = {token: at for token, at in taken.items() if everything or self._is_due(token, at)}
        written = False
        try:
            record_token_use(self._deps, due)
            written = True
        finally:
            with self._lock:
                for token, at in taken.items():
                    if not written or token not in due:
                        self._waiting.setdefault(token, at)
        if len(self._written) > _MOST_REMEMBERED:
            self._written.clear()
        self._written.update(due)

    def _is_due(self, token: UUID, at: datetime) -> bool:
        written = self._written.get(token)
        return written is None or at - written >= _EXACT_TO
