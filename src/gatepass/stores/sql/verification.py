"""The one look-up of verification in SQL."""

from collections.abc import Iterable
from uuid import UUID

from gatepass.errors import Unavailable
from gatepass.interfaces import Head, Verification, Verifications
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
# For PostgreSQL, which can take many at once and tell in the same snapshot how far the changes have come.
_CHANGES = (
    "value, concat_ws('.', (SELECT system_identifier FROM pg_control_system()),"
    " substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),"
    # Others after a dump was put back, into this cluster too.
    " (SELECT oid FROM pg_database WHERE datname = current_database()), counters.tableoid,"
    " (SELECT value FROM counters WHERE name = 'identity'),"
    " coalesce((SELECT restores FROM journal WHERE sole = 1), 0))"
)
_HEAD = f"SELECT {_CHANGES} FROM counters WHERE name = 'changes'"
_LOOK_UP_MANY = (
    f"SELECT {_CHANGES}, id, {_WANTED} FROM counters LEFT JOIN tokens ON id = ANY(:ids) WHERE counters.name = 'changes'"
)


def find_verification(connection: Connection, token_id: UUID) -> Verification | None:
    """Return what judging one token needs, with one statement; None if there is no such record."""
    row = connection.one(_LOOK_UP, id=token_id.bytes)
    return None if row is None else _verification_of(row)


def find_verifications(connection: Connection, token_ids: Iterable[UUID]) -> Verifications:
    """Return what judging many tokens needs, with one statement, on PostgreSQL."""
    rows = connection.all(_LOOK_UP_MANY, ids=[each.bytes for each in token_ids])
    head = _head_of(rows[0][:2] if rows else None)
    return Verifications({UUID(bytes=row[2]): _verification_of(row[3:]) for row in rows if row[2] is not None}, head)


def find_head(connection: Connection) -> Head:
    """Return how far the changes have come, on PostgreSQL. Raises Unavailable on a standby."""
    return _head_of(connection.one(_HEAD))


def _head_of(row: Row | None) -> Head:
    if row is None:
        raise Unavailable("the database counts no changes")
    return Head(*row)


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
