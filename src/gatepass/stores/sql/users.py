"""Users, their passwords and one-time links in SQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gatepass.errors import Conflict
from gatepass.interfaces import Page, UserCounts, UserFilter
from gatepass.model.instant import from_milliseconds, to_milliseconds
from gatepass.model.user import Password, PasswordLink, User, email_key
from gatepass.stores.sql.connection import Connection, Cut, Row, Value, instant, milliseconds, prefix_range

COLUMNS = (
    "id, email, name, is_admin, created_at, updated_at, disabled_at, deleted_at, last_sign_in_at,"
    " provider, subject, may_generate, lost, checked_at"
)


def user_of(row: Row) -> User:
    """Make a user out of a row of COLUMNS."""
    user_id, email, name, is_admin, created, updated, disabled, deleted, signed_in, *provided = row
    provider, subject, may_generate, lost, checked = provided
    return User(
        id=UUID(bytes=user_id),
        email=email,
        name=name,
        is_admin=bool(is_admin),
        created_at=from_milliseconds(created),
        updated_at=from_milliseconds(updated),
        disabled_at=instant(disabled),
        deleted_at=instant(deleted),
        last_sign_in_at=instant(signed_in),
        provider=provider,
        subject=subject,
        may_generate=None if may_generate is None else bool(may_generate),
        lost=lost,
        checked_at=instant(checked),
    )


def _values(user: User) -> dict[str, Value]:
    return {
        "id": user.id.bytes,
        "email": user.email,
        "email_key": email_key(user.email),
        "name": user.name,
        "name_key": (user.name or "").casefold(),
        "is_admin": int(user.is_admin),
        "created": to_milliseconds(user.created_at),
        "updated": to_milliseconds(user.updated_at),
        "disabled": milliseconds(user.disabled_at),
        "deleted": milliseconds(user.deleted_at),
        "signed_in": milliseconds(user.last_sign_in_at),
        "provider": user.provider,
        "subject": user.subject,
        "may_generate": None if user.may_generate is None else int(user.may_generate),
        "lost": user.lost,
        "checked": milliseconds(user.checked_at),
    }


_ONLY: dict[UserFilter, str] = {"admins": " AND is_admin = 1", "disabled": " AND disabled_at IS NOT NULL"}


class SqlUsers:
    """The user repository over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def add(self, user: User) -> None:
        """Keep a new user."""
        self._require_free(user)
        self._db.run(
            f"INSERT INTO users ({COLUMNS}, email_key, name_key) VALUES (:id, :email, :name, :is_admin, :created,"
            " :updated, :disabled, :deleted, :signed_in, :provider, :subject, :may_generate, :lost, :checked,"
            " :email_key, :name_key)",
            **_values(user),
        )

    def update(self, user: User) -> None:
        """Replace a user."""
        if user.deleted_at is None:
            self._require_free(user)
        self._db.run(
            "UPDATE users SET email = :email, email_key = :email_key, name = :name, name_key = :name_key,"
            " is_admin = :is_admin, created_at = :created, updated_at = :updated, disabled_at = :disabled,"
            " deleted_at = :deleted, last_sign_in_at = :signed_in, provider = :provider, subject = :subject,"
            " may_generate = :may_generate, lost = :lost, checked_at = :checked WHERE id = :id",
            **_values(user),
        )

    def _require_free(self, user: User) -> None:
        holder = self.find_by_email(user.email)
        if holder is not None and holder.id != user.id:
            raise Conflict("somebody has this e-mail address already")
        known = self.find_by_subject(user.provider, user.subject) if user.subject is not None else None
        if known is not None and known.id != user.id:
            raise Conflict("somebody is this person of the provider already")

    def find(self, user_id: UUID) -> User | None:
        """Return a user who is not deleted."""
        row = self._db.one(f"SELECT {COLUMNS} FROM users WHERE id = :id AND deleted_at IS NULL", id=user_id.bytes)
        return user_of(row) if row else None

    def find_by_email(self, email: str) -> User | None:
        """Return the user of that name who is not deleted."""
        row = self._db.one(
            f"SELECT {COLUMNS} FROM users WHERE email_key = :key AND deleted_at IS NULL", key=email_key(email)
        )
        return user_of(row) if row else None

    def find_by_subject(self, provider: str, subject: str) -> User | None:
        """Return the user of that key at a provider who is not deleted."""
        row = self._db.one(
            f"SELECT {COLUMNS} FROM users WHERE provider = :provider AND subject = :subject AND deleted_at IS NULL",
            provider=provider,
            subject=subject,
        )
        return user_of(row) if row else None

    def list_unchecked(self, provider: str, *, since: datetime, after: UUID | None, limit: int) -> Sequence[User]:
        """Return some of a provider's users whom it was not asked about since."""
        rows = self._db.all(
            f"SELECT {COLUMNS} FROM users WHERE provider = :provider AND subject IS NOT NULL AND deleted_at IS NULL"
            " AND (disabled_at IS NULL OR lost IS NOT NULL) AND (checked_at IS NULL OR checked_at <= :since)"
            " AND id > :after ORDER BY id LIMIT :limit",
            provider=provider,
            since=to_milliseconds(since),
            after=after.bytes if after else b"",
            limit=limit,
        )
        return [user_of(row) for row in rows]

    def note_checked(self, user_id: UUID, at: datetime) -> None:
        """Move `checked_at` forward."""
        self._db.run(
            "UPDATE users SET checked_at = :at WHERE id = :id AND (checked_at IS NULL OR checked_at < :at)",
            at=to_milliseconds(at),
            id=user_id.bytes,
        )

    def list(self, page: Page, *, prefix: str | None = None, only: UserFilter | None = None) -> Sequence[User]:
        """Return a page of users."""
        cut = Cut(page, key="id")
        matching, values = _ONLY[only] if only else "", cut.values
        if prefix:
            low, high = prefix_range(prefix.casefold())
            matching += " AND (email_key >= :low AND email_key < :high OR name_key >= :low AND name_key < :high)"
            values |= {"low": low, "high": high}
        rows = self._db.all(
            f"SELECT {COLUMNS} FROM users WHERE deleted_at IS NULL{matching}{cut.condition}{cut.order}", **values
        )
        return [user_of(row) for row in cut.arranged(rows)]

    def list_of_provider(self, provider: str, page: Page) -> Sequence[User]:
        """Return a page of the people of a provider."""
        cut = Cut(page, key="id")
        rows = self._db.all(
            f"SELECT {COLUMNS} FROM users WHERE provider = :provider AND subject IS NOT NULL AND deleted_at IS NULL"
            f"{cut.condition}{cut.order}",
            **cut.values,
            provider=provider,
        )
        return [user_of(row) for row in cut.arranged(rows)]

    def count_of_provider(self, provider: str) -> int:
        """Count the people of a provider."""
        row = self._db.one(
            "SELECT count(*) FROM users WHERE provider = :provider AND subject IS NOT NULL AND deleted_at IS NULL",
            provider=provider,
        )
        return int(row[0]) if row else 0

    def note_sign_in(self, user_id: UUID, at: datetime) -> None:
        """Move `last_sign_in_at` forward."""
        self._db.run(
            "UPDATE users SET last_sign_in_at = :at"
            " WHERE id = :id AND (last_sign_in_at IS NULL OR last_sign_in_at < :at)",
            at=to_milliseconds(at),
            id=user_id.bytes,
        )

    def counts(self) -> UserCounts:
        """Count the users."""
        row = self._db.one(
            "SELECT count(*), count(*) FILTER (WHERE disabled_at IS NOT NULL),"
            " count(*) FILTER (WHERE is_admin = 1 AND disabled_at IS NULL) FROM users WHERE deleted_at IS NULL"
        )
        return UserCounts(*row) if row else UserCounts(0, 0, 0)

    def find_password(self, user_id: UUID) -> Password | None:
        """Return a user's stored password."""
        row = self._db.one("SELECT hash, changed_at, on_console FROM passwords WHERE user_id = :id", id=user_id.bytes)
        return Password(row[0], from_milliseconds(row[1]), bool(row[2])) if row else None

    def set_password(self, user_id: UUID, password: Password | None) -> None:
        """Replace or remove a user's password, and end their links."""
        self._db.run("DELETE FROM passwords WHERE user_id = :id", id=user_id.bytes)
        self._db.run("DELETE FROM password_links WHERE user_id = :id", id=user_id.bytes)
        if password is not None:
            self._db.run(
                "INSERT INTO passwords (user_id, hash, changed_at, on_console) VALUES (:id, :hash, :at, :on_console)",
                id=user_id.bytes,
                hash=password.hash,
                at=to_milliseconds(password.changed_at),
                on_console=int(password.on_console),
            )

    def add_link(self, link: PasswordLink) -> None:
        """Keep a one-time link in place of an earlier one."""
        self._db.run("DELETE FROM password_links WHERE user_id = :id", id=link.user_id.bytes)
        self._db.run(
            "INSERT INTO password_links (user_id, handle_hash, expires_at) VALUES (:id, :handle, :expires)",
            id=link.user_id.bytes,
            handle=link.handle_hash,
            expires=to_milliseconds(link.expires_at),
        )

    def find_link(self, handle_hash: bytes) -> PasswordLink | None:
        """Return a one-time link."""
        row = self._db.one(
            "SELECT handle_hash, user_id, expires_at FROM password_links WHERE handle_hash = :handle",
            handle=handle_hash,
        )
        return PasswordLink(row[0], UUID(bytes=row[1]), from_milliseconds(row[2])) if row else None

    def prune_links(self, expired_before: datetime) -> None:
        """Remove links that ended."""
        self._db.run("DELETE FROM password_links WHERE expires_at < :before", before=to_milliseconds(expired_before))
