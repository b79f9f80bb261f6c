"""The one look-up of verification in SQL."""

from uuid import UUID

from gatepass.interfaces import Verification
from gatepass.stores.sql.connection import Connection, instant
from gatepass.stores.sql.tokens import rights_of

# Each scalar query is one search by key. The same as a join took SQLite four times as long here.
_LOOK_UP = (
    "SELECT mac, pepper, revoked_at IS NOT NULL, expires_at, scopes, networks, audience, owner_id,"
    " (SELECT email FROM users WHERE id = owner_id),"
    " (SELECT disabled_at IS NOT NULL FROM users WHERE id = owner_id),"
    " (SELECT deleted_at IS NOT NULL FROM users WHERE id = owner_id),"
    " (SELECT value FROM settings WHERE name = 'apiAccessTokens.enabled')"
    " FROM tokens WHERE id = :id"
)


def find_verification(connection: Connection, token_id: UUID) -> Verification | None:
    """Return what judging one token needs, with one statement; None if there is no such record."""
    row = connection.one(_LOOK_UP, id=token_id.bytes)
    if row is None:
        return None
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
