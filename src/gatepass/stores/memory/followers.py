"""Who follows the changes, in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from gatepass.model.follower import FollowerRecord
from gatepass.stores.memory.table import Table


class MemoryFollowers:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: Table[tuple[UUID, str], FollowerRecord] = Table(undo)

    def save(self, followers: Iterable[FollowerRecord]) -> None:
        for each in followers:
            key = (each.verifier_id, each.instance)
            known = self._table.rows.get(key)
            self._table.put(key, replace(each, turn=known.turn + 1 if known else 1))

    def list(self) -> Sequence[FollowerRecord]:
        return list(self._table.rows.values())

    def remove(self, verifier_id: UUID, instance: str, *, turn: int) -> None:
        known = self._table.rows.get((verifier_id, instance))
        if known is not None and turn == known.turn:
            self._table.drop((verifier_id, instance))
