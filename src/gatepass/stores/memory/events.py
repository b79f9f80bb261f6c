"""Audit records in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from gatepass.interfaces import Page
from gatepass.model.event import EventRecord
from gatepass.stores.memory.table import Table, cut


class MemoryEvents:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: Table[int, EventRecord] = Table(undo)

    def add(self, record: EventRecord) -> None:
        number = len(self._table.rows) + 1
        self._table.put(number, replace(record, sequence=number))

    def list(
        self, page: Page, *, actions: Iterable[str] | None = None, about: UUID | None = None
    ) -> Sequence[EventRecord]:
        starts = tuple(actions) if actions is not None else ("",)
        keys = (
            record.sequence
            for record in self._table.rows.values()
            if record.action.startswith(starts)
            and (about is None or about in {record.actor_id, record.subject_id, record.owner_id})
        )
        return [self._table.rows[key] for key in cut(sorted(keys), page)]
