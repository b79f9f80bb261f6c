"""Browser sessions in SQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gatepass.model.instant import from_milliseconds, to_milliseconds
from gatepass.model.session import Session
from gatepass.stores.sql.connection import Connection, Row, Value

_COLUMNS = "id, handle_hash, user_id, signed_in_at, proven_at, seen_at, address, user_agent, provider, reference"


def _session_of(row: Row) -> Session:
    session_id, handle_hash, user_id, signed_in, proven, seen, address, user_agent, provider, reference = row
    return Session(
        id=UUID(bytes=session_id),
        handle_hash=handle_hash,
        user_id=UUID(bytes=user_id),
        signed_in_at=from_milliseconds(signed_in),
        proven_at=from_milliseconds(proven),
        seen_at=from_milliseconds(seen),
        address=address,
        user_agent=user_agent,
        provider=provider,
        reference=reference,
    )


def _values(session: Session) -> dict[str, Value]:
    return {
        "id": session.id.bytes,
        "handle": session.handle_hash,
        "user": session.user_id.bytes,
        "signed_in": to_milliseconds(session.signed_in_at),
        "proven": to_milliseconds(session.proven_at),
        "seen": to_milliseconds(session.seen_at),
        "address": session.address,
        "user_agent": session.user_agent,
        "provider": session.provider,
        "reference": session.reference,
    }


class SqlSessions:
    """The session repository over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def add(self, session: Session) -> None:
        """Keep a new session."""
        self._db.run(
            f"INSERT INTO sessions ({_COLUMNS})"
            " VALUES (:id, :handle, :user, :signed_in, :proven, :seen, :address, :user_agent, :provider, :reference)",
            **_values(session),
        )

    def find(self, handle_hash: bytes) -> Session | None:
        """Return the session of a handle."""
        row = self._db.one(f"SELECT {_COLUMNS} FROM sessions WHERE handle_hash = :handle", handle=handle_hash)
        return _session_of(row) if row else None

    def find_by_id(self, session_id: UUID) -> Session | None:
        """Return a session by its id."""
        row = self._db.one(f"SELECT {_COLUMNS} FROM sessions WHERE id = :id", id=session_id.bytes)
        return _session_of(row) if row else None

    def list(self, user_id: UUID) -> Sequence[Session]:
        """Return a user's sessions, the oldest first."""
        rows = self._db.all(
            f"SELECT {_COLUMNS} FROM sessions WHERE user_id = :user ORDER BY signed_in_at, id", user=user_id.bytes
        )
        return [_session_of(row) for row in rows]

    def list_of_reference(self, provider: str, reference: str) -> Sequence[Session]:
        """Return the sessions of a provider's reference, the oldest first."""
        rows = self._db.all(
            f"SELECT {_COLUMNS} FROM sessions WHERE provider = :provider AND reference = :reference"
            " ORDER BY signed_in_at, id",
            provider=provider,
            reference=reference,
        )
        return [_session_of(row) for row in rows]

    def update(self, session: Session) -> None:
        """Replace a session."""
        self._db.run(
            "UPDATE sessions SET handle_hash = :handle, user_id = :user, signed_in_at = :signed_in,"
            " proven_at = :proven, seen_at = :seen, address = :address, user_agent = :user_agent,"
            " provider = :provider, reference = :reference WHERE id = :id",
            **_values(session),
        )

    def remove(self, session_id: UUID) -> bool:
        """End a session."""
        return self._db.run("DELETE FROM sessions WHERE id = :id", id=session_id.bytes) == 1

    def remove_of(self, user_id: UUID, *, except_id: UUID | None = None) -> int:
        """End a user's sessions but for one."""
        return self._db.run(
            "DELETE FROM sessions WHERE user_id = :user AND id <> :kept",
            user=user_id.bytes,
            kept=except_id.bytes if except_id else b"",
        )

    def prune(self, *, seen_before: datetime, signed_in_before: datetime) -> None:
        """Remove sessions that are over."""
        self._db.run(
            "DELETE FROM sessions WHERE seen_at < :seen OR signed_in_at < :signed_in",
            seen=to_milliseconds(seen_before),
            signed_in=to_milliseconds(signed_in_before),
        )
