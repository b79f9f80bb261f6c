"""The uses of a token as a small picture: a bar a day, and the same in words."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from gatepass.model.use import DayCount, day_of
from gatepass.model.verdict import Reason

DAYS = 30
_HEIGHT = 20
_PITCH = 3
_BAR = 2
_LEAST = 2
"""Even one request can be seen."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REASONS = {
    Reason.DELETED: "after it was deleted",
    Reason.EXPIRED: "after it expired",
    Reason.OWNER_DISABLED: "while its owner was disabled",
    Reason.OWNER_DELETED: "after its owner was deleted",
    Reason.FEATURE_OFF: "while tokens were switched off",
    Reason.NETWORK: "from another network",
    Reason.AUDIENCE: "for another service",
    Reason.SCOPE: "for more than it may do",
}


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Two paths in a box of 90 by 22, the base line below them, and what they say."""

    accepted: str
    refused: str
    words: str

    @property
    def is_empty(self) -> bool:
        """Tell whether there is no bar to see."""
        return not (self.accepted or self.refused)


def sparklines(counts: Iterable[DayCount], now: datetime) -> Mapping[UUID, Sparkline]:
    """Draw the last DAYS days of each token that has any counts; today is the last bar."""
    first = day_of(now) - DAYS + 1
    found: dict[UUID, list[DayCount]] = defaultdict(list)
    for each in counts:
        if first <= each.day < first + DAYS:
            found[each.token_id].append(each)
    return {token_id: _draw(of_token, first) for token_id, of_token in found.items()}


UNUSED = Sparkline("", "", f"No requests in {DAYS} days")


def _draw(counts: Iterable[DayCount], first: int) -> Sparkline:
    accepted: Counter[int] = Counter()
    refused: Counter[int] = Counter()
    reasons: Counter[Reason] = Counter()
    for each in counts:
        if each.reason is None:
            accepted[each.day] += each.count
        else:
            refused[each.day] += each.count
            reasons[each.reason] += each.count
    most = max((accepted + refused).values())
    good, bad = [], []
    for day in range(first, first + DAYS):
        # Refused ones stand on top, and push the others down where there is no room.
        above = _height(refused[day], most)
        below = min(_height(accepted[day], most), _HEIGHT - above)
        good.append(_bar(day - first, _HEIGHT - below, below))
        bad.append(_bar(day - first, _HEIGHT - below - above, above))
    return Sparkline("".join(good), "".join(bad), _words(accepted, reasons))


def _height(count: int, most: int) -> int:
    return max(_LEAST, round(count * _HEIGHT / most)) if count else 0


def _bar(number: int, top: int, height: int) -> str:
    return f"M{number * _PITCH} {top + 1}h{_BAR}v{height}h-{_BAR}z" if height else ""


def _words(accepted: Counter[int], reasons: Counter[Reason]) -> str:
    """Say `Used 1,204 times in 30 days, most on 12 November; 3 refused after it expired`."""
    total = accepted.total()
    said = f"Used {_times(total)} in {DAYS} days" if total else f"Not used in {DAYS} days"
    if len(accepted) > 1:
        day = _EPOCH + timedelta(days=max(accepted, key=lambda day: (accepted[day], day)))
        said += f", most on {day.day} {day:%B}"
    refused = [f"{count:,} refused {_REASONS.get(reason, reason.value)}" for reason, count in reasons.most_common()]
    return "; ".join([said, *refused])


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
