"""The one look-up of verification in SQL."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from gatepass.interfaces import Verification
from gatepass.stores.sql.connection import Connection, Row, instant
from gatepass.stores.sql.tokens import rights_of

# Each scalar query is one search by key. The same as a join took SQLite four times as long here.
_WANTED = (
    "mac, pepper, revoked_at IS NOT NULL, expires_at, scopes, networks, audience, owner_id,"
    " (SELECT email FROM users WHERE id = owner_id),"
    " (SELECT disabled_at IS NOT NULL FROM users WHERE id = owner_id),"
    " (SELECT deleted_at IS NOT NULL FROM users WHERE id = owner_id),"
    " (SELECT value FROM settings WHERE name = 'apiAccessTokens.enabled')"
)
_LOOK_UP = f"SELECT {_WANTED} FROM tokens WHERE id = :id"
_LOOK_UP_MANY = f"SELECT id, {_WANTED} FROM tokens WHERE id = ANY(:ids)"


def find_verification(connection: Connection, token_id: UUID) -> Verification | None:
    """Return what judging one token needs, with one statement; None if there is no such record."""
    row = connection.one(_LOOK_UP, id=token_id.bytes)
    return None if row is None else _verification_of(row)


def find_verifications(connection: Connection, token_ids: Iterable[UUID]) -> Mapping[UUID, Verification]:
    """Return what judging many tokens needs, with one statement of PostgreSQL; those without a record are left out."""
    rows = connection.all(_LOOK_UP_MANY, ids=[each.bytes for each in token_ids])
    return {UUID(bytes=row[0]): _verification_of(row[1:]) for row in rows}


def _verification_of(row: Row) -> Verification:
    mac, pepper, revoked, expires, scopes, networks, audience, owner, name, disabled, deleted, enabled = row
    return Verification(
        mac,
        pepper,
        bool(revoked),
        instant(expires),
        rights_of(scopes, networks, audience),
        UUID(bytes=owner),
        name,
        bool(disabled),
        bool(deleted),
        enabled == "true",
    )
