"""Users and their local passwords in memory."""

import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gatepass.errors import Conflict
from gatepass.interfaces import Page, UserCounts, UserFilter
from gatepass.model.user import Password, PasswordLink, User, email_key
from gatepass.stores.memory.table import Table, cut


class MemoryUsers:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self.table: Table[UUID, User] = Table(undo)
        self._passwords: Table[UUID, Password] = Table(undo)
        self._links: Table[UUID, PasswordLink] = Table(undo)

    def add(self, user: User) -> None:
        if self.find_by_email(user.email):
            raise Conflict(_TAKEN)
        self._require_free_subject(user)
        self.table.put(user.id, user)

    def update(self, user: User) -> None:
        holder = self.find_by_email(user.email)
        if user.deleted_at is None and holder and holder.id != user.id:
            raise Conflict(_TAKEN)
        if user.deleted_at is None:
            self._require_free_subject(user)
        self.table.put(user.id, user)

    def _require_free_subject(self, user: User) -> None:
        known = self.find_by_subject(user.provider, user.subject) if user.subject is not None else None
        if known and known.id != user.id:
            raise Conflict("somebody is this person of the provider already")

    def find(self, user_id: UUID) -> User | None:
        user = self.table.rows.get(user_id)
        return user if user and user.deleted_at is None else None

    def find_by_email(self, email: str) -> User | None:
        return next((user for user in self._present() if email_key(user.email) == email_key(email)), None)

    def find_by_subject(self, provider: str, subject: str) -> User | None:
        wanted = (provider, subject)
        return next((user for user in self._present() if (user.provider, user.subject) == wanted), None)

    def list_unchecked(self, provider: str, *, since: datetime, after: UUID | None, limit: int) -> Sequence[User]:
        found = (
            user
            for user in self._present()
            if user.provider == provider
            and user.subject is not None
            and (user.is_live or user.lost is not None)
            and (user.checked_at is None or user.checked_at <= since)
        )
        return sorted((user for user in found if after is None or user.id > after), key=lambda each: each.id)[:limit]

    def note_checked(self, user_id: UUID, at: datetime) -> None:
        user = self.find(user_id)
        if user and (user.checked_at is None or user.checked_at < at):
            self.table.put(user_id, replace(user, checked_at=at))

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
        return [self.table.rows[key] for key in cut(sorted(keys), page)]

    def list_of_provider(self, provider: str, page: Page) -> Sequence[User]:
        keys = (user.id for user in self._present() if user.provider == provider and user.subject is not None)
        return [self.table.rows[key] for key in cut(sorted(keys), page)]

    def count_of_provider(self, provider: str) -> int:
        return sum(user.provider == provider and user.subject is not None for user in self._present())

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
