"""Uses of tokens, counted in memory: a dict look-up and one atomic step, no lock to wait for.

Counts only ever grow; whoever takes them for writing remembers how far they were taken. So nothing
is swapped or reset under a thread that is counting, and no count is lost or taken twice.
"""

import itertools
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from gatepass.model.instant import truncate
from gatepass.model.use import UseCount, Uses, hour_of
from gatepass.model.verdict import Reason

PACE = 28.0
"""Seconds. A token used all the time is written this often: with a flush every two seconds nothing waits over 30."""

MOST_REMEMBERED = 100_000
MOST_AT_ONCE = 2_000
"""So many counts are written in one transaction, so that nobody waits long for the one writer."""


class Use:
    """How often one token met one outcome, and when that was last."""

    __slots__ = ("at", "has_left", "hits", "number", "reason", "seen", "taken_at")

    def __init__(self, number: int, reason: Reason | None, now: float) -> None:
        self.number = number
        self.reason = reason
        self.at = now
        # `next` on it is a single step for the interpreter: no two threads get the same number.
        self.hits = itertools.count()
        self.seen = 0
        self.taken_at: float | None = None
        self.has_left = False

    def take(self) -> int:
        """Return how many hits came since the last time. Called by one thread at a time."""
        number = next(self.hits)
        count = number - self.seen
        self.seen = number + 1  # looking was a step too
        return count

    def give_back(self, count: int) -> None:
        """Let `count` hits be taken again."""
        self.seen -= count

    def is_waiting(self) -> bool:
        """Tell whether there are hits to take."""
        count = self.take()
        self.give_back(count)
        return count > 0

    def is_due(self, now: float) -> bool:
        """Tell whether it may be written again. A clock that was set back holds nothing up."""
        return self.taken_at is None or not 0 <= now - self.taken_at < PACE


class Counted(Protocol):
    """A token in memory, with room for where its uses are counted."""

    number: int
    use: Use | None


_Key = int | tuple[int, Reason]
"""The number of a token, with the reason if it was refused."""

_Taken = tuple[Use, float, int]
"""A use, when it was last, and the hits that were taken."""


class UseCounter:
    """Counts accepted and refused requests by token; safe to use from any thread.

    A token is the number of its id, and instants are seconds since 1970: that is what is at hand.
    """

    def __init__(self, *, most: int = MOST_REMEMBERED) -> None:
        """Begin with nothing. Remembers at most `most` tokens and reasons; lets refused ones go first."""
        self._most = most
        self._accepted: dict[_Key, Use] = {}
        self._refused: dict[_Key, Use] = {}
        self._late: deque[Use] = deque()
        self._lost = Use(0, None, 0.0)
        self._lock = threading.Lock()  # for whoever takes or brings in a new token, never for counting
        self.dropped = 0
        """Requests that were not counted because too many tokens were in use at once; grows."""

    def accepted(self, number: int, now: float) -> None:
        """Count an accepted request."""
        try:
            use = self._accepted[number]
        except KeyError:
            use = self._begin(self._accepted, number, Use(number, None, now))
        use.at = now
        next(use.hits)
        # Count, then look; `taken` marks, then reads: one of the two sees the other.
        if use.has_left:
            self._late.append(use)

    def hit(self, entry: Counted, now: float) -> None:
        """Count an accepted request with a token in memory. No other counter may count `entry`."""
        use = entry.use
        if use is None:
            number = entry.number
            use = self._accepted.get(number) or self._begin(self._accepted, number, Use(number, None, now))
            entry.use = None if use is self._lost else use
        use.at = now
        next(use.hits)
        if use.has_left:  # see `accepted`
            self._late.append(use)
            entry.use = None

    def refused(self, number: int, reason: Reason, now: float) -> None:
        """Count a refused request with a token that exists, or did."""
        key = (number, reason)
        try:
            use = self._refused[key]
        except KeyError:
            use = self._begin(self._refused, key, Use(number, reason, now))
        use.at = now
        next(use.hits)
        if use.has_left:
            self._late.append(use)

    def waiting(self) -> int:
        """Return how many counts are not written yet."""
        with self._lock:
            uses = [*self._accepted.values(), *self._refused.values(), *self._late]
            return sum(1 for use in uses if use.is_waiting())

    @contextmanager
    def taken(self, now: float, *, everything: bool = False) -> Iterator[Uses]:
        """Hand out what is due for writing; `everything` also what could wait.

        If the block fails it is kept for the next time. At most MOST_AT_ONCE counts: after so many
        there may be more. The hour is that of the latest request, so the edge of an hour is true
        to half a minute.
        """
        with self._lock:
            taken = self._take(now, everything=everything)
        written = False
        try:
            yield _uses_of(taken)
            written = True
        finally:
            if not written:
                with self._lock:
                    self._give_back(taken)

    def _begin(self, table: dict[_Key, Use], key: _Key, new: Use) -> Use:
        """Bring in a token; without room the request counts as dropped."""
        with self._lock:
            if key in table:
                return table[key]
            if len(self._accepted) + len(self._refused) >= self._most:
                if new.reason is not None or not self._refused:
                    return self._lost
                self.dropped += self._let_go(self._refused.popitem()[1])
            table[key] = new
            return new

    def _take(self, now: float, *, everything: bool) -> list[_Taken]:
        self.dropped += self._lost.take()
        taken: list[_Taken] = []
        while self._late and len(taken) < MOST_AT_ONCE:
            use = self._late.popleft()
            if count := use.take():
                taken.append((use, use.at, count))
        for table in (self._accepted, self._refused):
            taken += self._take_from(table, now, most=MOST_AT_ONCE - len(taken), everything=everything)
        return taken

    def _take_from(self, table: dict[_Key, Use], now: float, *, most: int, everything: bool) -> Iterator[_Taken]:
        for key, use in list(table.items()):
            if not most:
                return
            if not (everything or use.is_due(now)):
                continue
            count = use.take()
            if not count:
                count = self._let_go(table.pop(key))
            if count:
                use.taken_at = now
                most -= 1
                yield use, use.at, count

    def _let_go(self, use: Use) -> int:
        """Forget a token that is not in use any more; return the hits that came at the last moment."""
        use.has_left = True
        return use.take()

    def _give_back(self, taken: list[_Taken]) -> None:
        for use, _, count in taken:
            use.give_back(count)
            use.taken_at = None
            if use.has_left:
                self._late.append(use)


def _uses_of(taken: list[_Taken]) -> Uses:
    last_used: dict[UUID, datetime] = {}
    counts: list[UseCount] = []
    for use, seconds, count in taken:
        token_id, at = UUID(int=use.number), truncate(datetime.fromtimestamp(seconds, UTC))
        counts.append(UseCount(token_id, hour_of(at), use.reason, count))
        if use.reason is None:
            last_used[token_id] = max(at, last_used.get(token_id, at))
    return Uses(last_used, counts)
