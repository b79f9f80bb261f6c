"""Tokens in memory."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gatepass.errors import Conflict
from gatepass.interfaces import Page
from gatepass.model.token import Idempotency, Token, TokenStatus
from gatepass.stores.memory.table import Table, cut
from gatepass.stores.memory.users import MemoryUsers
from gatepass.stores.memory.uses import MemoryUses


class MemoryTokens:
    def __init__(self, undo: list[Callable[[], None]], users: MemoryUsers, uses: MemoryUses) -> None:
        self._table: Table[UUID, Token] = Table(undo)
        self._users = users
        self._uses = uses

    def add(self, token: Token) -> None:
        made = token.idempotency
        if token.id in self._table.rows or (made and self.find_by_key(token.owner_id, made.key_hash)):
            raise Conflict("a token with this id or idempotency key exists")
        self._table.put(token.id, token)

    def find(self, token_id: UUID) -> Token | None:
        return self._table.rows.get(token_id)

    def find_by_key(self, owner_id: UUID, key_hash: bytes) -> Token | None:
        for token in self._table.rows.values():
            if token.owner_id == owner_id and token.idempotency and token.idempotency.key_hash == key_hash:
                return token
        return None

    def list(
        self,
        owner_id: UUID,
        page: Page,
        *,
        now: datetime,
        status: TokenStatus | None = None,
        prefix: str | None = None,
        by_tail: bool = False,
    ) -> Sequence[Token]:
        wanted = {status} if status else {TokenStatus.ACTIVE, TokenStatus.EXPIRED}
        keys = (
            token.id
            for token in self._table.rows.values()
            if token.owner_id == owner_id and token.status(now) in wanted and _starts(token, prefix, by_tail=by_tail)
        )
        return [self._table.rows[key] for key in cut(sorted(keys), page)]

    def revoke(self, token_id: UUID, at: datetime) -> bool:
        token = self._table.rows.get(token_id)
        if token is None or token.revoked_at is not None:
            return False
        self._table.put(token_id, replace(token, revoked_at=at, mac=b"", idempotency=_saltless(token)))
        return True

    def record_uses(self, uses: Mapping[UUID, datetime]) -> None:
        for token_id, at in uses.items():
            token = self._table.rows.get(token_id)
            if token is None or (token.revoked_at is not None and token.revoked_at < at):
                continue
            if token.last_used_at is None or token.last_used_at < at:
                self._table.put(token_id, replace(token, last_used_at=at))

    def prune(self, ended_before: datetime, *, limit: int) -> int:
        ended = [token.id for token in self._table.rows.values() if self._ended(token, ended_before)][:limit]
        for token_id in ended:
            self._table.drop(token_id)
        self._uses.forget(ended)
        return len(ended)

    def _ended(self, token: Token, before: datetime) -> bool:
        ends = (token.expires_at, token.revoked_at, self._users.table.rows[token.owner_id].deleted_at)
        return any(end is not None and end < before for end in ends)

    def count_by_pepper(self) -> Mapping[int, int]:
        return Counter(token.pepper for token in self._table.rows.values() if token.revoked_at is None)

    def wipe_salts(self, created_before: datetime) -> None:
        for token in [t for t in self._table.rows.values() if t.idempotency and t.created_at < created_before]:
            self._table.put(token.id, replace(token, idempotency=_saltless(token)))


def _saltless(token: Token) -> Idempotency | None:
    return replace(token.idempotency, salt=None) if token.idempotency else None


def _starts(token: Token, prefix: str | None, *, by_tail: bool) -> bool:
    if prefix is None:
        return True
    wanted, text_id = prefix.casefold(), str(token.id)
    texts = ((token.description or "").casefold(), text_id, *([text_id[-12:]] if by_tail else []))
    return any(text.startswith(wanted) for text in texts)
