"""The lease: until when a verifier whose changes come from elsewhere may answer from memory, and as of which change.

It stands where a store on the same host has its two words, and reads as they do: two numbers, equal
only while what is in memory may be answered. It looks at the clock each time, so that a process that
was stopped, or a machine that was suspended, answers nothing from memory before it has asked anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

MARGIN = 0.05
"""This part of the bound is not used: clocks do not run alike, and an answer takes a moment to leave."""

_STALE = -1
_OVER = float("-inf")

Seconds = Callable[[], float]
Moment = tuple[float, float]
"""One instant as both clocks have it."""


def _since_boot() -> Seconds:
    # SECURITY: a clock that goes on while the machine is suspended. CLOCK_MONOTONIC stands still then on Linux
    # (elsewhere it does not), and a lease by it would be longer by as much.
    number = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    return time.monotonic if number is None else partial(time.clock_gettime, number)


class LeaseClock:
    """Two clocks: one that never goes back and counts suspension, and the wall clock."""

    __slots__ = ("boot", "wall")

    def __init__(self, boot: Seconds | None = None, wall: Seconds = time.time) -> None:  # noqa: TID251  the clock
        """Tell seconds by `boot` and `wall`; a suspended machine may notice it by either."""
        self.boot = boot or _since_boot()
        self.wall = wall

    def moment(self) -> Moment:
        """Return the present instant."""
        return self.boot(), self.wall()


class Lease(Sequence[int]):
    """Two numbers, `(number, number)` while fresh, unequal otherwise. Read by any thread, renewed by one."""

    __slots__ = ("_boot", "_state", "_wall", "clock")

    def __init__(self, clock: LeaseClock | None = None) -> None:
        """Begin not fresh."""
        self.clock = clock or LeaseClock()
        self._boot, self._wall = self.clock.boot, self.clock.wall
        self._state = (0, _OVER, _OVER)

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[int]:
        return iter((self[0], self[1]))

    def __getitem__(self, index: int) -> int:  # type: ignore[override]
        """Return the number; at 0 only while fresh. Asked for 0 and 1 only, so nothing is checked."""
        number = self._state[0]
        return number if index or self.holds(number, self._wall()) else _STALE

    def holds(self, number: int, now: float) -> bool:
        """Tell whether this is the number, and fresh; `now` is the wall clock's. What every request asks."""
        current, boot, wall = self._state  # one object: no reader sees half of a renewal
        # SECURITY: elapsed is the larger of the two. A wall clock that is set back gives nothing, one that is set
        # forward ends the lease.
        return number == current and now < wall and self._boot() < boot

    @property
    def is_fresh(self) -> bool:
        """Tell whether memory may be answered from."""
        return self[0] == self[1]

    @property
    def remaining(self) -> float:
        """Return for how many seconds more it lasts, 0 when it is over."""
        _, boot, wall = self._state
        return max(0.0, min(boot - self._boot(), wall - self._wall()))

    def renew(self, sent_at: Moment, number: int, *, bound: float) -> None:
        """Let it last until `bound` seconds, less the margin, after the question was sent.

        SECURITY: after it was *sent*, however long the answer took; and only when all changes up to
        `number` can be read from the feed.
        """
        boot, wall = sent_at
        length = bound * (1 - MARGIN)
        self._state = (number, boot + length, wall + length)

    def advance(self, number: int) -> None:
        """Go on to a later number, and last no longer than before. All changes up to it can be read from the feed."""
        _, boot, wall = self._state
        self._state = (number, boot, wall)

    def end(self) -> None:
        """Let it be over now."""
        self._state = (self._state[0], _OVER, _OVER)
