"""Limits on unknown tokens, by client address.

A token is judged first, so a valid one is never refused here. `/verify` always answers 401.
"""

import threading
from collections import Counter

from gatepass.errors import TooManyRequests
from gatepass.interfaces import Clock
from gatepass.services.throttle import network_of

_MINUTE = 60
_MOST_ADDRESSES = 100_000


class ProbeLimit:
    """How many unknown tokens each address presented in this minute."""

    def __init__(self, clock: Clock, *, per_minute: int) -> None:
        """Let `per_minute` go by for one address (one /64 of IPv6)."""
        self._clock = clock
        self._per_minute = per_minute
        self._minute = 0
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, address: str | None) -> None:
        """Count one unknown token. Raises TooManyRequests until the minute is over once there were too many."""
        if address is None:
            return
        minute, second = divmod(int(self._clock.now().timestamp()), _MINUTE)
        network = network_of(address)
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._counts.clear()
            if network in self._counts or len(self._counts) < _MOST_ADDRESSES:
                self._counts[network] += 1
            too_many = self._counts[network] > self._per_minute
        if too_many:
            raise TooManyRequests("too many unknown tokens", retry_after=_MINUTE - second)
