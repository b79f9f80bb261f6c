"""Registered verifiers in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from gatepass.errors import Conflict
from gatepass.model.instant import from_milliseconds, to_milliseconds
from gatepass.model.registered_verifier import RegisteredVerifier, name_key
from gatepass.stores.sql.connection import Connection, Row, instant, milliseconds

_COLUMNS = "id, name, mac, pepper, created_at, removed_at"


def _verifier_of(row: Row) -> RegisteredVerifier:
    verifier_id, name, mac, pepper, created, removed = row
    return RegisteredVerifier(UUID(bytes=verifier_id), name, mac, pepper, from_milliseconds(created), instant(removed))


class SqlVerifiers:
    """The repository of verifiers over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def add(self, verifier: RegisteredVerifier) -> None:
        """Keep a new verifier."""
        if self.find_by_name(verifier.name):
            raise Conflict("there is a verifier of this name already")
        self._db.run(
            f"INSERT INTO verifiers ({_COLUMNS}, name_key)"
            " VALUES (:id, :name, :mac, :pepper, :created, :removed, :name_key)",
            id=verifier.id.bytes,
            name=verifier.name,
            name_key=name_key(verifier.name),
            mac=verifier.mac,
            pepper=verifier.pepper,
            created=to_milliseconds(verifier.created_at),
            removed=milliseconds(verifier.removed_at),
        )

    def find(self, verifier_id: UUID) -> RegisteredVerifier | None:
        """Return a verifier, removed or not."""
        row = self._db.one(f"SELECT {_COLUMNS} FROM verifiers WHERE id = :id", id=verifier_id.bytes)
        return _verifier_of(row) if row else None

    def find_by_name(self, name: str) -> RegisteredVerifier | None:
        """Return the verifier of that name which is not removed."""
        row = self._db.one(
            f"SELECT {_COLUMNS} FROM verifiers WHERE name_key = :key AND removed_at IS NULL", key=name_key(name)
        )
        return _verifier_of(row) if row else None

    def list(self) -> Sequence[RegisteredVerifier]:
        """Return the verifiers that are not removed."""
        rows = self._db.all(f"SELECT {_COLUMNS} FROM verifiers WHERE removed_at IS NULL ORDER BY id")
        return [_verifier_of(row) for row in rows]

    def remove(self, verifier_id: UUID, at: datetime) -> bool:
        """Mark a verifier removed."""
        changed = self._db.run(
            "UPDATE verifiers SET removed_at = :at, mac = :none WHERE id = :id AND removed_at IS NULL",
            at=to_milliseconds(at),
            none=b"",
            id=verifier_id.bytes,
        )
        return changed == 1

    def count_by_pepper(self) -> Mapping[int, int]:
        """Count the verifiers that are not removed by their pepper."""
        rows = self._db.all("SELECT pepper, count(*) FROM verifiers WHERE removed_at IS NULL GROUP BY pepper")
        return {number: count for number, count in rows}  # noqa: C416  rows are only known as sequences
