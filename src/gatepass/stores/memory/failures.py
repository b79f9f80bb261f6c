"""Failed sign-ins in memory."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from gatepass.stores.memory.table import Table


class MemoryFailures:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: Table[bytes, tuple[datetime, ...]] = Table(undo)

    def add(self, keys: Iterable[bytes], at: datetime) -> None:
        for key in keys:
            self._table.put(key, (*self._table.rows.get(key, ()), at))

    def list(self, key: bytes, since: datetime) -> Sequence[datetime]:
        return sorted(at for at in self._table.rows.get(key, ()) if at > since)

    def forget(self, key: bytes) -> None:
        if key in self._table.rows:
            self._table.drop(key)

    def prune(self, before: datetime) -> None:
        for key, failures in list(self._table.rows.items()):
            if max(failures) < before:
                self._table.drop(key)
