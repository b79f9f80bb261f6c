"""Look-ups that block, beside the event loop: in a few threads, many tokens at once."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from gatepass.errors import Unavailable
from gatepass.model.presented import PresentedToken
from gatepass.model.verdict import Rejected
from gatepass.verifier.cache import Entry

MOST_WAITING = 10_000
_THREADS = 4
_MOST_AT_ONCE = 256

Found = Entry | Rejected | Exception
Done = Callable[[Found], None]


class LookUps:
    """Gathers what is asked while earlier look-ups are under way. Used in the event loop only."""

    def __init__(self, fetch: Callable[[Sequence[PresentedToken]], Sequence[Entry | Rejected]]) -> None:
        """Look tokens up with `fetch`, which may block."""
        self._fetch = fetch
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="look-up")
        self._waiting: dict[bytes, tuple[PresentedToken, list[Done]]] = {}
        self._under_way = 0

    def ask(self, presented: PresentedToken, done: Done) -> None:
        """Call `done` later with what is known of a token, or with what went wrong."""
        # Nobody joins a look-up that is under way: it may have been read before something that the asker knows of.
        waiting = self._waiting.get(presented.digest)
        if waiting is not None:
            waiting[1].append(done)
        elif len(self._waiting) >= MOST_WAITING:
            asyncio.get_running_loop().call_soon(done, Unavailable("too many tokens wait to be looked up"))
        else:
            self._waiting[presented.digest] = presented, [done]
            self._begin()

    def _begin(self) -> None:
        if self._under_way >= _THREADS or not self._waiting:
            return
        batch = [self._waiting.pop(key) for key in list(self._waiting)[:_MOST_AT_ONCE]]
        self._under_way += 1
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, self._fetch, [presented for presented, _ in batch])
        work.add_done_callback(lambda ended: self._end(batch, ended))

    def _end(
        self, batch: list[tuple[PresentedToken, list[Done]]], ended: asyncio.Future[Sequence[Entry | Rejected]]
    ) -> None:
        self._under_way -= 1
        found: Sequence[Found]
        try:
            found = ended.result()
        except Exception as error:  # noqa: BLE001  told to whoever asked
            found = [error] * len(batch)
        self._begin()
        for (_, asked), each in zip(batch, found, strict=True):
            for done in asked:
                done(each)
