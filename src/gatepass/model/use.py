"""Uses of tokens: when each was last accepted, and how often it was accepted and refused, by the hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gatepass.model.instant import to_milliseconds
from gatepass.model.verdict import Reason

USES_KEPT = timedelta(days=31)
"""How long counts are kept."""

HOURS_A_DAY = 24
_MILLISECONDS_AN_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class UseCount:
    """How often one token met one outcome within one hour."""

    token_id: UUID
    hour: int
    """Whole hours since 1970-01-01T00:00Z."""
    reason: Reason | None
    """Why it was refused; None: it was accepted."""
    count: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """How often one token met one outcome on one day."""

    token_id: UUID
    day: int
    """Whole days since 1970-01-01, in UTC."""
    reason: Reason | None
    count: int


@dataclass(frozen=True, slots=True)
class Uses:
    """What is written at once: the latest accepted request of each token, and what is to be added up."""

    last_used: Mapping[UUID, datetime]
    counts: Sequence[UseCount]

    def __bool__(self) -> bool:
        """Tell whether there is anything to write."""
        return bool(self.last_used or self.counts)


def hour_of(instant: datetime) -> int:
    """Return the hour of an instant: whole hours since 1970-01-01T00:00Z."""
    return to_milliseconds(instant) // _MILLISECONDS_AN_HOUR


def day_of(instant: datetime) -> int:
    """Return the day of an instant: whole days since 1970-01-01, in UTC."""
    return hour_of(instant) // HOURS_A_DAY
