"""The mark of the revocation journal in memory."""

from collections.abc import Callable

from gatepass.model.journal import JournalMark
from gatepass.stores.memory.table import Table


class MemoryJournal:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: Table[str, JournalMark] = Table(undo)

    def find(self) -> JournalMark | None:
        return self._table.rows.get("mark")

    def save(self, mark: JournalMark) -> None:
        self._table.put("mark", mark)
