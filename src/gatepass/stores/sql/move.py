"""Copies an installation's SQLite file into an empty PostgreSQL database: all of it, or nothing."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from gatepass.errors import Conflict
from gatepass.stores.sql.connection import Row
from gatepass.stores.sql.integrity import TABLES
from gatepass.stores.sql.postgres import require_trustworthy
from gatepass.stores.sql.postgres_connection import (
    UNHURRIED,
    RawConnection,
    commit,
    connect,
    parameters_of,
    translated,
)
from gatepass.stores.sql.postgres_schema import initialising
from gatepass.stores.sql.sqlite import SqliteConnection

Progress = Callable[[int, int], None]
_PASSES = 3
"""Each row is copied, and read once on either side."""
_STEP = 1000


class _Table(NamedTuple):
    """What of a table is copied."""

    name: str
    columns: str
    rows: int

    @property
    def query(self) -> str:
        """Return the query for all of it, in an order that both databases agree on."""
        # The number of the schema is PostgreSQL's own: SQLite keeps it elsewhere.
        but = " WHERE name <> 'schema'" if self.name == "counters" else ""
        return f"SELECT {self.columns} FROM {self.name}{but} ORDER BY {self.columns}"


def move(path: Path, url: str, progress: Progress, *, with_journal: bool = False) -> dict[str, int]:
    """Copy the database at `path` to the PostgreSQL database at `url`; return the number of rows by table.

    Nobody can write to either meanwhile. Before the copy is committed the rows of both are read and their
    digests compared. `progress` hears (done, total) rows, each counted three times. `with_journal` lets the
    other database go on with the revocation journal; else it has none. Raises Conflict if there
    is anybody in the other database, or if the two differ in the end; then nothing was copied.
    """
    with initialising(url), connect(parameters_of(url), patience=UNHURRIED) as raw, closing(_held(path)) as source:
        require_trustworthy(raw)
        tables = [_table(source, name) for name in (*TABLES, *["journal"] * with_journal)]
        counting = _Counting(progress, _PASSES * sum(table.rows for table in tables))
        with translated():
            raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            for table in reversed(tables):  # a schema without people may hold the rest of an `init`
                raw.execute(f"DELETE FROM {table.query.partition(' FROM ')[2].partition(' ORDER BY')[0]}".encode())
            for table in tables:
                _copy(table, counting.each(source.raw.execute(table.query)), raw)
            for table in tables:
                raw.execute(f"ANALYZE {table.name}".encode())  # so that lists are quick from the first one on
                _compare(table, counting.each(source.raw.execute(table.query)), counting.each(_rows(raw, table)))
        commit(raw)
    return {table.name: table.rows for table in tables}


def _held(path: Path) -> SqliteConnection:
    """Open the file, and keep everybody from writing to it until it is closed."""
    source = SqliteConnection(path)
    source.run("BEGIN IMMEDIATE")
    return source


def _table(source: SqliteConnection, name: str) -> _Table:
    columns = source.all(f"PRAGMA table_info({name})")  # it leaves generated ones out
    count = source.one(f"SELECT count(*) FROM {name}")
    return _Table(name, ", ".join(row[1] for row in columns), count[0] if count else 0)


def _copy(table: _Table, rows: Iterable[Row], raw: RawConnection) -> None:
    statement = f"COPY {table.name} ({table.columns}) FROM STDIN"
    with raw.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row in rows:
            copy.write_row(row)


def _rows(raw: RawConnection, table: _Table) -> Iterator[Row]:
    with raw.cursor(name=f"all_{table.name}") as cursor:
        cursor.itersize = _STEP
        yield from cursor.execute(table.query.encode())


def _compare(table: _Table, rows: Iterable[Row], copies: Iterable[Row]) -> None:
    if _digest(rows) != _digest(copies):
        raise Conflict(f"{table.name}: what was copied is not what was there", hint="nothing was changed")


def _digest(rows: Iterable[Row]) -> tuple[int, bytes]:
    """Return the number of rows and a digest of them in their order."""
    count, digest = 0, hashlib.sha256()
    for row in rows:
        count += 1
        digest.update(repr(tuple(row)).encode("utf-8", "surrogatepass"))
    return count, digest.digest()


class _Counting:
    """Tells `progress` how many of all rows have been seen."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def each(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self._done += 1
            if self._done % _STEP == 0 or self._done == self._total:
                self._progress(self._done, self._total)
            yield row
