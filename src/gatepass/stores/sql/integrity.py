"""What must be so in every database, whatever its own checks say."""

from collections.abc import Sequence

from gatepass.stores.sql.connection import Connection

TABLES = (
    "users",
    "passwords",
    "password_links",
    "tokens",
    "token_uses",
    "sessions",
    "failures",
    "spent",
    "devices",
    "events",
    "settings",
    "changes",
    "verifiers",
    "counters",
)
"""Every table; what others point to comes first."""

_FAULTS = {
    "a token without an owner": "SELECT count(*) FROM tokens WHERE owner_id NOT IN (SELECT id FROM users)",
    "a session without a user": "SELECT count(*) FROM sessions WHERE user_id NOT IN (SELECT id FROM users)",
    "a deleted token that keeps its mac": (
        "SELECT count(*) FROM tokens WHERE revoked_at IS NOT NULL AND length(mac) > 0"
    ),
    "an audit record beyond the counter": (
        "SELECT count(*) FROM events WHERE sequence > (SELECT value FROM counters WHERE name = 'events')"
    ),
    "a change beyond the counter": (
        "SELECT count(*) FROM changes WHERE revision > (SELECT value FROM counters WHERE name = 'changes')"
    ),
}


def find_faults(connection: Connection) -> Sequence[str]:
    """Read every row and return what contradicts what Gatepass itself keeps true."""
    for table in TABLES:
        connection.one(f"SELECT count(*), sum(length(CAST(each AS TEXT))) FROM {table} each")
    counts = {fault: connection.one(query) for fault, query in _FAULTS.items()}
    return [f"{fault} ({row[0]} times)" for fault, row in counts.items() if row and row[0]]
