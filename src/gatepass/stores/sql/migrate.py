"""Numbered migrations: `NNNN_name.sql` beside this file, each applied once and in order."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gatepass.errors import BadConfiguration
from gatepass.stores.sql.connection import Connection

_NAME = re.compile(r"\A(\d{4})_[a-z0-9_]+\.sql\Z")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    number: int
    name: str
    sql: str


@cache
def known_migrations() -> tuple[Migration, ...]:
    """Return the migrations this code brings, in order."""
    folder = Path(__file__).with_name("migrations")  # importlib.resources would take half a megabyte
    found = [
        Migration(int(match[1]), file.name, file.read_text("utf-8"))
        for file in folder.iterdir()
        if (match := _NAME.match(file.name))
    ]
    return tuple(sorted(found, key=lambda migration: migration.number))


def pending_migrations(applied: int) -> tuple[Migration, ...]:
    """Return what is missing from a schema at number `applied`.

    Raises BadConfiguration if the schema is newer than this code.
    """
    latest = known_migrations()[-1].number
    if applied > latest:
        raise BadConfiguration(
            "database",
            f"has schema {applied}, this version of Gatepass knows {latest}",
            hint="start the version that wrote it, or a newer one",
        )
    return tuple(migration for migration in known_migrations() if migration.number > applied)


def statements(migration: Migration) -> list[str]:
    """Return the single statements of a migration; comments stand on lines of their own."""
    lines = (line for line in migration.sql.splitlines() if not line.lstrip().startswith("--"))
    return [statement.strip() for statement in "\n".join(lines).split(";\n") if statement.strip()]


def apply(connection: Connection, migration: Migration) -> None:
    """Run one migration inside the open transaction of `connection`."""
    for statement in statements(migration):
        connection.run(statement)
