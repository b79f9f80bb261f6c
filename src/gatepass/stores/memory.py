"""A store in memory: for tests and trials in one process. It passes the same suite as the others."""

import hmac
import operator
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from gatepass.errors import Conflict
from gatepass.interfaces import Page, Transaction, UserCounts, UserFilter, Verification
from gatepass.model.event import EventRecord
from gatepass.model.session import Session
from gatepass.model.settings import Settings
from gatepass.model.token import Idempotency, Token, TokenStatus
from gatepass.model.user import Password, PasswordLink, User, email_key

K = TypeVar("K")
V = TypeVar("V")


class _Table(Generic[K, V]):
    """A dict that can take its changes back."""

    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self.rows: dict[K, V] = {}
        self._undo = undo

    def put(self, key: K, row: V) -> None:
        if key in self.rows:
            old = self.rows[key]
            self._undo.append(lambda: self.rows.__setitem__(key, old))
        else:
            self._undo.append(lambda: self.rows.__delitem__(key))
        self.rows[key] = row

    def drop(self, key: K) -> None:
        old = self.rows.pop(key)
        self._undo.append(lambda: self.rows.__setitem__(key, old))


class MemoryStore:
    """Everything in dicts behind one lock; a failed `write` is taken back step by step."""

    def __init__(self) -> None:
        """Begin empty, with the default settings."""
        self._lock = threading.RLock()
        self._undo: list[Callable[[], None]] = []
        self.users = _Users(self._undo)
        self.tokens = _Tokens(self._undo, self.users)
        self.sessions = _Sessions(self._undo)
        self.events = _Events(self._undo)
        self.settings = _Settings(self._undo)
        self.failures = _Failures(self._undo)

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
            try:
                yield self
            except BaseException:
                for step in reversed(self._undo):
                    step()
                raise
            finally:
                self._undo.clear()

    def find_verification(self, token_id: UUID) -> Verification | None:
        """Return what judging a token needs."""
        with self._lock:
            token = self.tokens.find(token_id)
            if token is None:
                return None
            return Verification(token, self.users.table.rows[token.owner_id], self.settings.load().enabled)

    def check(self) -> None:
        """Do nothing: memory is always there."""

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


def _cut(keys: Iterable[Any], page: Page) -> list[Any]:
    """Return the part of `keys` (sorted) that a page shows."""
    found = list(keys)
    beyond = operator.gt
    if page.newest_first:
        found.reverse()
        beyond = operator.lt
    if page.before is not None:
        return [key for key in found if beyond(page.before, key)][-page.limit :]
    if page.after is not None:
        found = [key for key in found if beyond(key, page.after)]
    return found[page.offset : page.offset + page.limit]


class _Tokens:
    def __init__(self, undo: list[Callable[[], None]], users: "_Users") -> None:
        self._table: _Table[UUID, Token] = _Table(undo)
        self._users = users

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
        return [self._table.rows[key] for key in _cut(sorted(keys), page)]

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


class _Users:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self.table: _Table[UUID, User] = _Table(undo)
        self._passwords: _Table[UUID, Password] = _Table(undo)
        self._links: _Table[UUID, PasswordLink] = _Table(undo)

    def add(self, user: User) -> None:
        if self.find_by_email(user.email):
            raise Conflict(_TAKEN)
        self.table.put(user.id, user)

    def update(self, user: User) -> None:
        holder = self.find_by_email(user.email)
        if user.deleted_at is None and holder and holder.id != user.id:
            raise Conflict(_TAKEN)
        self.table.put(user.id, user)

    def find(self, user_id: UUID) -> User | None:
        user = self.table.rows.get(user_id)
        return user if user and user.deleted_at is None else None

    def find_by_email(self, email: str) -> User | None:
        return next((user for user in self._present() if email_key(user.email) == email_key(email)), None)

    def _present(self) -> Iterator[User]:
        return (user for user in self.table.rows.values() if user.deleted_at is None)

    def list(self, page: Page, *, prefix: str | None = None, only: UserFilter | None = None) -> Sequence[User]:
        wanted = (prefix or "").casefold()
        keys = (
            user.id
            for user in self._present()
            if (email_key(user.email).startswith(wanted) or (user.name or "").casefold().startswith(wanted))
            and (only != "admins" or user.is_admin)
            and (only != "disabled" or user.disabled_at is not None)
        )
        return [self.table.rows[key] for key in _cut(sorted(keys), page)]

    def note_sign_in(self, user_id: UUID, at: datetime) -> None:
        user = self.find(user_id)
        if user and (user.last_sign_in_at is None or user.last_sign_in_at < at):
            self.table.put(user_id, replace(user, last_sign_in_at=at))

    def counts(self) -> UserCounts:
        users = list(self._present())
        return UserCounts(
            all=len(users),
            disabled=sum(user.disabled_at is not None for user in users),
            live_admins=sum(user.is_admin and user.is_live for user in users),
        )

    def find_password(self, user_id: UUID) -> Password | None:
        return self._passwords.rows.get(user_id)

    def set_password(self, user_id: UUID, password: Password | None) -> None:
        if password is not None:
            self._passwords.put(user_id, password)
        elif user_id in self._passwords.rows:
            self._passwords.drop(user_id)
        if user_id in self._links.rows:
            self._links.drop(user_id)

    def add_link(self, link: PasswordLink) -> None:
        self._links.put(link.user_id, link)

    def find_link(self, handle_hash: bytes) -> PasswordLink | None:
        return next(
            (link for link in self._links.rows.values() if hmac.compare_digest(link.handle_hash, handle_hash)), None
        )

    def prune_links(self, expired_before: datetime) -> None:
        for link in [each for each in self._links.rows.values() if each.expires_at < expired_before]:
            self._links.drop(link.user_id)


_TAKEN = "somebody has this e-mail address already"


class _Sessions:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: _Table[UUID, Session] = _Table(undo)

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


class _Events:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: _Table[int, EventRecord] = _Table(undo)

    def add(self, record: EventRecord) -> None:
        number = len(self._table.rows) + 1
        self._table.put(number, replace(record, sequence=number))

    def list(
        self, page: Page, *, actions: Iterable[str] | None = None, about: UUID | None = None
    ) -> Sequence[EventRecord]:
        starts = tuple(actions) if actions is not None else ("",)
        keys = (
            record.sequence
            for record in self._table.rows.values()
            if record.action.startswith(starts)
            and (about is None or about in {record.actor_id, record.subject_id, record.owner_id})
        )
        return [self._table.rows[key] for key in _cut(sorted(keys), page)]


class _Settings:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: _Table[str, Settings] = _Table(undo)

    def load(self) -> Settings:
        return self._table.rows.get("all", Settings())

    def save(self, settings: Settings) -> None:
        self._table.put("all", settings)


class _Failures:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: _Table[bytes, tuple[datetime, ...]] = _Table(undo)

    def add(self, keys: Iterable[bytes], at: datetime) -> None:
        for key in keys:
            self._table.put(key, (*self._table.rows.get(key, ()), at))

    def list(self, key: bytes, since: datetime) -> Sequence[datetime]:
        return sorted(at for at in self._table.rows.get(key, ()) if at > since)

    def forget(self, key: bytes) -> None:
        if key in self._table.rows:
            self._table.drop(key)

    def prune(self, before: datetime) -> None:
        for key, failures in list(self._table.rows.items()):
            if max(failures) < before:
                self._table.drop(key)
