"""What was taken once, in memory."""

from collections.abc import Callable
from datetime import datetime

from gatepass.stores.memory.table import Table


class MemorySpent:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: Table[bytes, datetime] = Table(undo)

    def add(self, key: bytes, until: datetime) -> bool:
        if key in self._table.rows:
            return False
        self._table.put(key, until)
        return True

    def prune(self, before: datetime) -> None:
        for key in [key for key, until in self._table.rows.items() if until < before]:
            self._table.drop(key)
