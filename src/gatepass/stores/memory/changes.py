"""The change feed in memory."""

from collections.abc import Callable, Sequence
from uuid import UUID

from gatepass.model.change import Change, ChangeKind
from gatepass.model.secret import generate_key
from gatepass.stores.memory.table import Table


class MemoryChanges:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: Table[int, Change] = Table(undo)
        self._head: Table[str, int] = Table(undo)
        self._identity = generate_key().hex()
        self.made: list[Change] = []

    def add(self, kind: ChangeKind, subject_id: UUID | None = None) -> None:
        revision = self.head() + 1
        self._head.put("head", revision)
        self.made.append(Change(revision, kind, subject_id))
        self._table.put(revision, self.made[-1])

    def head(self) -> int:
        return self._head.rows.get("head", 0)

    def epoch(self) -> str:
        return self._identity

    def list_after(self, revision: int) -> Sequence[Change] | None:
        wanted = range(revision + 1, self.head() + 1)
        if revision > self.head() or any(each not in self._table.rows for each in wanted):
            return None
        return [self._table.rows[each] for each in wanted]

    def prune(self, *, keep: int) -> None:
        for revision in [each for each in self._table.rows if each <= self.head() - keep]:
            self._table.drop(revision)
