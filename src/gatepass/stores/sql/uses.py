"""Uses of tokens in SQL."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from gatepass.model.use import HOURS_A_DAY, DayCount, UseCount
from gatepass.model.verdict import Reason
from gatepass.stores.sql.connection import Connection, Value, name_list

_ACCEPTED = "accepted"
"""The outcome that is no reason of refusal."""


class SqlUses:
    """The repository of uses over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def add(self, counts: Iterable[UseCount]) -> None:
        """Add to what is counted."""
        for each in counts:
            self._db.run(
                "INSERT INTO token_uses (token_id, hour, outcome, count)"
                " SELECT id, :hour, :outcome, :count FROM tokens WHERE id = :id"
                " ON CONFLICT (token_id, hour, outcome) DO UPDATE SET count = token_uses.count + excluded.count",
                id=each.token_id.bytes,
                hour=each.hour,
                outcome=each.reason.value if each.reason else _ACCEPTED,
                count=each.count,
            )

    def list_days(self, token_ids: Sequence[UUID], since: int) -> Sequence[DayCount]:
        """Return the counts of some tokens by day."""
        values: dict[str, Value] = {f"id{number}": token_id.bytes for number, token_id in enumerate(token_ids)}
        rows = self._db.all(
            "SELECT token_id, hour / :hours AS day, outcome, CAST(sum(count) AS BIGINT) FROM token_uses"
            f" WHERE token_id IN ({name_list(values)}) AND hour >= :since"
            " GROUP BY token_id, day, outcome",
            since=since * HOURS_A_DAY,
            hours=HOURS_A_DAY,
            **values,
        )
        return [DayCount(UUID(bytes=token_id), day, _reason(outcome), count) for token_id, day, outcome, count in rows]

    def prune(self, before: int, *, limit: int) -> int:
        """Remove counts of hours long ago."""
        return self._db.run(
            "DELETE FROM token_uses WHERE (token_id, hour, outcome) IN ("
            "SELECT token_id, hour, outcome FROM token_uses WHERE hour < :before LIMIT :limit)",
            before=before,
            limit=limit,
        )


def _reason(outcome: str) -> Reason | None:
    return None if outcome == _ACCEPTED else Reason(outcome)
