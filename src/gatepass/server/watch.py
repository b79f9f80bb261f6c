"""Wakes whoever waits for a change: one look at the store's words every few milliseconds, for all of them."""

import asyncio
from collections.abc import Sequence

PAUSE = 0.003
"""Seconds between two looks. Any process of the host may have made the change, so there is nothing to be told by."""


class Watch:
    """Looks only while somebody waits. Used in the event loop."""

    def __init__(self, words: Sequence[int]) -> None:
        """Watch the words of a store."""
        self._words = words
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False

    def seen(self) -> int:
        """Return what `moved` compares with: take it before reading what is waited for."""
        return self._words[1]

    async def moved(self, seen: int, seconds: float) -> bool:
        """Return True when a change was committed after `seen` was taken, False when the time is over."""
        if self._is_closed or self._words[1] != seen:
            return self._words[1] != seen
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = seen
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            del self._waiting[future]
        return self._words[1] != seen

    def close(self) -> None:
        """Let nobody wait any more."""
        self._is_closed = True
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def _look(self) -> None:
        while self._waiting:
            await asyncio.sleep(PAUSE)
            now = self._words[1]
            for future, seen in self._waiting.items():
                if seen != now and not future.done():
                    future.set_result(None)
