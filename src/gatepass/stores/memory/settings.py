"""Settings in memory."""

from collections.abc import Callable

from gatepass.model.settings import Settings
from gatepass.stores.memory.table import Table


class MemorySettings:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: Table[str, Settings] = Table(undo)

    def load(self) -> Settings:
        return self._table.rows.get("all", Settings())

    def save(self, settings: Settings) -> None:
        self._table.put("all", settings)
