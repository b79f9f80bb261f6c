"""All repositories in dicts behind one lock."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

from gatepass.interfaces import Transaction, Verification, Verifications
from gatepass.model.change import Change
from gatepass.stores.memory.changes import MemoryChanges
from gatepass.stores.memory.devices import MemoryDevices
from gatepass.stores.memory.events import MemoryEvents
from gatepass.stores.memory.failures import MemoryFailures
from gatepass.stores.memory.followers import MemoryFollowers
from gatepass.stores.memory.journal import MemoryJournal
from gatepass.stores.memory.sessions import MemorySessions
from gatepass.stores.memory.settings import MemorySettings
from gatepass.stores.memory.spent import MemorySpent
from gatepass.stores.memory.tokens import MemoryTokens
from gatepass.stores.memory.users import MemoryUsers
from gatepass.stores.memory.uses import MemoryUses
from gatepass.stores.memory.verifiers import MemoryVerifiers


class MemoryStore:
    """Everything in dicts behind one lock; a failed `write` is taken back step by step."""

    answers_inline = True

    def __init__(self) -> None:
        """Begin empty, with the default settings."""
        self._lock = threading.RLock()
        self._undo: list[Callable[[], None]] = []
        self.users = MemoryUsers(self._undo)
        self.uses = MemoryUses(self._undo, lambda token_id: self.tokens.find(token_id) is not None)
        self.tokens = MemoryTokens(self._undo, self.users, self.uses)
        self.sessions = MemorySessions(self._undo)
        self.events = MemoryEvents(self._undo)
        self.settings = MemorySettings(self._undo)
        self.failures = MemoryFailures(self._undo)
        self.spent = MemorySpent(self._undo)
        self.devices = MemoryDevices(self._undo)
        self.changes = MemoryChanges(self._undo)
        self.words = [0, 0]
        self.verifiers = MemoryVerifiers(self._undo)
        self.followers = MemoryFollowers(self._undo)
        self.journal = MemoryJournal(self._undo)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Hold the lock while reading."""
        with self._lock:
            yield self

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Hold the lock while changing; take everything back if the block fails."""
        with self._lock:
            self._undo.clear()
            self.changes.made.clear()
            try:
                yield self
                self.words[:] = [self.changes.head()] * 2
            except BaseException:
                for step in reversed(self._undo):
                    step()
                raise
            finally:
                self._undo.clear()

    def write_uses(self) -> AbstractContextManager[Transaction]:
        """Do as `write` does."""
        return self.write()

    def find_verifications(self, token_ids: Iterable[UUID]) -> Verifications:
        """Look up one after the other."""
        started, finished = self.words
        found = {each: one for each in token_ids if (one := self.find_verification(each))}
        return Verifications(found, head=None, stamp=started if started == finished else None)

    def find_verification(self, token_id: UUID) -> Verification | None:
        """Return what judging a token needs."""
        with self._lock:
            token = self.tokens.find(token_id)
            if token is None:
                return None
            owner = self.users.table.rows[token.owner_id]
            return Verification(
                token.mac,
                token.pepper,
                token.revoked_at is not None,
                token.expires_at,
                token.rights,
                owner.id,
                owner.email,
                owner.disabled_at is not None,
                owner.deleted_at is not None,
                self.settings.load().enabled,
            )

    def changes_after(self, revision: int) -> Sequence[Change] | None:
        """Return the changes after `revision`."""
        with self._lock:
            return self.changes.list_after(revision)

    def check(self) -> None:
        """Do nothing: memory is always there."""

    def check_integrity(self) -> Sequence[str]:
        """Find nothing: it is as it was put here."""
        return []

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""
