"""Prints how many bytes of the process each of 100,000 remembered tokens takes: `python cached_tokens.py`.

The tokens are of 1,000 owners, and half of them end. Each verdict is made of new objects, as a store makes them.
"""

import gc
import os
import resource
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from gatepass.model.change import Change
from gatepass.model.verdict import Accepted
from gatepass.verifier.cache import Cache

TOKENS, OWNERS = 100_000, 1_000
_FIRST_END = datetime(2100, 1, 1, tzinfo=UTC)


def accepted(number: int) -> Accepted:
    """Return the verdict of token number `number`, of which nothing is shared with another."""
    token_id = UUID(int=int.from_bytes(os.urandom(12), "big") << 32 | number)
    owner = number % OWNERS
    ends = _FIRST_END + timedelta(milliseconds=number) if number // OWNERS % 2 else None
    return Accepted(token_id, UUID(int=7 << 76 | owner), f"person{owner}@department.example.com", ends)


class Feed:
    """Nothing ever changes."""

    words = (1, 1)

    def changes_after(self, revision: int) -> Sequence[Change]:
        raise RuntimeError(f"nothing changed after {revision}")


def fill(cache: Cache, count: int) -> None:
    for number in range(count):
        cache.put(os.urandom(32), accepted(number), stamp=cache.stamp(), now=0)


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    fill(Cache(Feed(), most=1_000), 2_000)  # what every first use brings
    cache = Cache(Feed(), most=TOKENS)
    before = resident()
    fill(cache, TOKENS)
    after = resident()
    if len(cache) != TOKENS:
        raise RuntimeError(f"{len(cache)} tokens are remembered")
    print((after - before) / TOKENS)


if __name__ == "__main__":
    main()
