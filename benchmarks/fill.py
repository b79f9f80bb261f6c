"""Fills an installation with tokens, faster than use cases could: straight into its database."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import apsw

from gatepass.model.instant import to_milliseconds
from gatepass.model.secret import generate_secret, sha256
from gatepass.model.token import TokenKind, token_mac, write_token
from gatepass.server.installation import DATABASE, KEYS, SystemClock
from gatepass.stores.keyfile import KeyFile

_INSERT = (
    "INSERT INTO tokens (id, owner_id, mac, pepper, description, description_key, created_at, expires_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, NULL)"
)
_INDEXES = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'tokens' AND sql IS NOT NULL"
_BATCH = 50_000


def fill(data: Path, owner_id: UUID, count: int, *, real: int = 0) -> list[str]:
    """Add `count` tokens of one owner; return the values of `real` of them, spread evenly.

    The others have a random mac: they are there to be found, listed and counted, not presented.
    """
    number, pepper = KeyFile(data / KEYS).current_pepper()
    now = SystemClock().now()
    first = to_milliseconds(now) - count
    every = max(1, count // real) if real else count + 1
    values: list[str] = []

    def rows() -> Iterator[tuple[bytes, bytes, bytes, int, str, str, int]]:
        for index in range(count):
            created = first + index
            token_id = created.to_bytes(6, "big") + b"\x70\x00\x80" + os.urandom(7)
            mac = os.urandom(32)
            if index % every == 0 and len(values) < real:
                value = write_token(TokenKind.PERSONAL, UUID(bytes=token_id), generate_secret()).reveal()
                values.append(value)
                mac = token_mac(pepper, sha256(value))
            text = f"job {index}"
            yield token_id, owner_id.bytes, mac, number, text, text, created

    database = apsw.Connection(str(data / DATABASE))
    database.execute("PRAGMA synchronous = OFF")
    # Indexes are built at the end: row by row, ten million would take an hour.
    indexes = database.execute(_INDEXES).fetchall()
    waiting = rows()
    with database:
        for name, _ in indexes:
            database.execute(f'DROP INDEX "{name}"')  # the name is the schema's own
        while batch := list(itertools.islice(waiting, _BATCH)):
            database.executemany(_INSERT, batch)
        for _, create in indexes:
            database.execute(create)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close(True)
    return values
