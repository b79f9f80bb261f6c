"""The schema of a PostgreSQL database: which one it has, and how it gets this code's."""

from collections.abc import Iterator
from contextlib import contextmanager

from gatepass.errors import BadConfiguration, Conflict
from gatepass.stores.sql import migrate
from gatepass.stores.sql.connection import Connection
from gatepass.stores.sql.dialect import postgres_schema
from gatepass.stores.sql.postgres_connection import UNHURRIED, PostgresConnection, commit, connect, parameters_of

_LOCK = 0x47504153  # "GPAS"


def schema_number(connection: Connection) -> int:
    """Return the number of the last migration applied, 0 for a database without tables.

    Raises BadConfiguration for a database of another program.
    """
    row = connection.one(
        "SELECT to_regclass('counters') IS NOT NULL, count(*) FROM pg_class WHERE relnamespace ="
        " (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relkind IN ('r', 'p')"
    )
    ours, tables = row or (False, 0)
    if not tables and not ours:
        return 0
    number = connection.one("SELECT value FROM counters WHERE name = 'schema'") if ours else None
    if number is None:
        raise BadConfiguration("store.database", "was not made by Gatepass")
    return int(number[0])


def require_schema(connection: Connection) -> None:
    """Raise BadConfiguration unless the database has exactly this code's schema."""
    applied = schema_number(connection)
    if not applied:
        raise _nothing_there()
    if migrate.pending_migrations(applied):
        raise BadConfiguration("store.database", f"has the old schema {applied}", hint="run `gatepass db upgrade`")


def _nothing_there() -> BadConfiguration:
    return BadConfiguration("store.database", "holds no installation", hint="run `gatepass init`")


def upgrade(url: str) -> list[str]:
    """Bring a database to this code's schema, in one transaction; return the names of what was applied.

    Raises BadConfiguration if it is newer than the code, not ours or empty, Unavailable if it is in use.
    """
    with connect(parameters_of(url)) as raw:
        if not schema_number(PostgresConnection(raw)):
            raise _nothing_there()
    return _migrate(url)


def _migrate(url: str) -> list[str]:
    with connect(parameters_of(url), patience=UNHURRIED) as raw:
        connection = PostgresConnection(raw)
        connection.run("BEGIN")
        connection.run("SET LOCAL lock_timeout = 2000")
        connection.one("SELECT pg_advisory_xact_lock(:key)", key=_LOCK)
        done = _apply_pending(connection)
        commit(raw)
        return done


def _apply_pending(connection: Connection) -> list[str]:
    pending = migrate.pending_migrations(schema_number(connection))
    for migration in pending:
        for statement in migrate.statements(migration):
            connection.run(postgres_schema(statement))
        connection.run(
            "INSERT INTO counters (name, value) VALUES ('schema', :number)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            number=migration.number,
        )
    return [migration.name for migration in pending]


@contextmanager
def initialising(url: str) -> Iterator[None]:
    """Give an empty database its schema, and keep everybody else from doing so until the block is left.

    A schema without people is empty too: the rest of an attempt that failed. Raises Conflict if there
    is anybody in it, or somebody else is at it.
    """
    with connect(parameters_of(url)) as raw:
        connection = PostgresConnection(raw)
        connection.run("BEGIN")
        row = connection.one("SELECT pg_try_advisory_xact_lock(:key)", key=_LOCK + 1)
        if not row or not row[0]:
            raise Conflict("somebody else is making an installation in this database", hint="nothing was changed")
        if schema_number(connection) and connection.one("SELECT 1 FROM users LIMIT 1"):
            raise Conflict("the database holds an installation already", hint="nothing was changed")
        _migrate(url)
        yield
