"""Browser sessions in memory."""

import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from gatepass.model.session import Session
from gatepass.stores.memory.table import Table


class MemorySessions:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: Table[UUID, Session] = Table(undo)

    def add(self, session: Session) -> None:
        self._table.put(session.id, session)

    def find(self, handle_hash: bytes) -> Session | None:
        return next(
            (each for each in self._table.rows.values() if hmac.compare_digest(each.handle_hash, handle_hash)), None
        )

    def find_by_id(self, session_id: UUID) -> Session | None:
        return self._table.rows.get(session_id)

    def list(self, user_id: UUID) -> Sequence[Session]:
        found = (each for each in self._table.rows.values() if each.user_id == user_id)
        return sorted(found, key=lambda each: (each.signed_in_at, each.id))

    def list_of_reference(self, provider: str, reference: str) -> Sequence[Session]:
        found = (
            each for each in self._table.rows.values() if each.provider == provider and each.reference == reference
        )
        return sorted(found, key=lambda each: (each.signed_in_at, each.id))

    def update(self, session: Session) -> None:
        if session.id in self._table.rows:
            self._table.put(session.id, session)

    def remove(self, session_id: UUID) -> bool:
        if session_id not in self._table.rows:
            return False
        self._table.drop(session_id)
        return True

    def remove_of(self, user_id: UUID, *, except_id: UUID | None = None) -> int:
        ended = [each.id for each in self.list(user_id) if each.id != except_id]
        for session_id in ended:
            self._table.drop(session_id)
        return len(ended)

    def prune(self, *, seen_before: datetime, signed_in_before: datetime) -> None:
        for each in list(self._table.rows.values()):
            if each.seen_at < seen_before or each.signed_in_at < signed_in_before:
                self._table.drop(each.id)
