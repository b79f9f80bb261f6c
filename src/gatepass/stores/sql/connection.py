"""What the SQL of this package is written against: a connection inside a transaction.

Statements use named parameters (`:name`). Values are int, str, bytes or None (and, where a database
takes it, a list of ids); the helpers here turn ids and instants into those and back.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from gatepass.interfaces import Page
from gatepass.model.instant import from_milliseconds, to_milliseconds

Value = int | str | bytes | list[bytes] | None
Row = Sequence[Any]


class Connection(Protocol):
    """An open transaction on one database. Raises Unavailable when the database fails."""

    def one(self, sql: str, **values: Value) -> Row | None:
        """Run a query, return its first row."""
        ...

    def all(self, sql: str, **values: Value) -> Sequence[Row]:
        """Run a query, return all rows."""
        ...

    def run(self, sql: str, **values: Value) -> int:
        """Run a statement, return how many rows it changed. Raises Conflict for a taken key."""
        ...


def instant(value: int | None) -> datetime | None:
    """Read a column of instants that may be null."""
    return None if value is None else from_milliseconds(value)


def milliseconds(value: datetime | None) -> int | None:
    """Write a column of instants that may be null."""
    return None if value is None else to_milliseconds(value)


def identity(value: bytes | None) -> UUID | None:
    """Read a column of ids that may be null."""
    return None if value is None else UUID(bytes=value)


def id_bytes(value: UUID | None) -> bytes | None:
    """Write a column of ids that may be null."""
    return None if value is None else value.bytes


def name_list(names: Iterable[str]) -> str:
    """Return what stands in `IN (…)` for parameters of these names; without any, what nothing equals."""
    return ", ".join(f":{name}" for name in names) or "NULL"


class Cut:
    """The SQL of one page: which keys, in which order, how many."""

    def __init__(self, page: Page, *, key: str) -> None:
        """Describe `page` over the column `key`; ids are compared as their bytes."""
        backwards = page.before is not None
        descending = page.newest_first != backwards
        edge = page.before if backwards else page.after
        self.condition = "" if edge is None else f" AND {key} {'<' if descending else '>'} :edge"
        self.order = f" ORDER BY {key} {'DESC' if descending else 'ASC'} LIMIT :limit OFFSET :offset"
        self.values: dict[str, Value] = {"limit": page.limit, "offset": page.offset}
        if edge is not None:
            self.values["edge"] = edge.bytes if isinstance(edge, UUID) else edge
        self._backwards = backwards

    def arranged(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows in the order the page shows them."""
        return rows[::-1] if self._backwards else rows


def prefix_range(prefix: str) -> tuple[str, str]:
    """Return the least text that starts with `prefix`, and one above all that do."""
    return prefix, prefix + "\U0010ffff"
