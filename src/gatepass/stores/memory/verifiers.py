"""Registered verifiers in memory."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gatepass.errors import Conflict
from gatepass.model.registered_verifier import RegisteredVerifier, name_key
from gatepass.stores.memory.table import Table


class MemoryVerifiers:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: Table[UUID, RegisteredVerifier] = Table(undo)

    def add(self, verifier: RegisteredVerifier) -> None:
        if verifier.id in self._table.rows or self.find_by_name(verifier.name):
            raise Conflict("there is a verifier of this id or name already")
        self._table.put(verifier.id, verifier)

    def find(self, verifier_id: UUID) -> RegisteredVerifier | None:
        return self._table.rows.get(verifier_id)

    def find_by_name(self, name: str) -> RegisteredVerifier | None:
        return next((each for each in self.list() if name_key(each.name) == name_key(name)), None)

    def list(self) -> Sequence[RegisteredVerifier]:
        found = (each for each in self._table.rows.values() if each.removed_at is None)
        return sorted(found, key=lambda each: each.id)

    def remove(self, verifier_id: UUID, at: datetime) -> bool:
        verifier = self._table.rows.get(verifier_id)
        if verifier is None or verifier.removed_at is not None:
            return False
        self._table.put(verifier_id, replace(verifier, removed_at=at, mac=b""))
        return True

    def count_by_pepper(self) -> Mapping[int, int]:
        return Counter(each.pepper for each in self.list())
