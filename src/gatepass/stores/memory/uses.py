"""Uses of tokens in memory."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from uuid import UUID

from gatepass.model.use import HOURS_A_DAY, DayCount, UseCount
from gatepass.model.verdict import Reason
from gatepass.stores.memory.table import Table


class MemoryUses:
    def __init__(self, undo: list[Callable[[], None]], is_kept: Callable[[UUID], bool]) -> None:
        self._table: Table[tuple[UUID, int, Reason | None], int] = Table(undo)
        self._is_kept = is_kept

    def add(self, counts: Iterable[UseCount]) -> None:
        for each in counts:
            if self._is_kept(each.token_id):
                key = (each.token_id, each.hour, each.reason)
                self._table.put(key, self._table.rows.get(key, 0) + each.count)

    def list_days(self, token_ids: Sequence[UUID], since: int) -> Sequence[DayCount]:
        found: Counter[tuple[UUID, int, Reason | None]] = Counter()
        for (token_id, hour, reason), count in self._table.rows.items():
            if token_id in token_ids and hour >= since * HOURS_A_DAY:
                found[token_id, hour // HOURS_A_DAY, reason] += count
        return [DayCount(*key, count) for key, count in found.items()]

    def prune(self, before: int, *, limit: int) -> int:
        old = [key for key in self._table.rows if key[1] < before][:limit]
        for key in old:
            self._table.drop(key)
        return len(old)

    def forget(self, token_ids: Collection[UUID]) -> None:
        """Remove the counts of tokens whose records go."""
        for key in [key for key in self._table.rows if key[0] in token_ids]:
            self._table.drop(key)
