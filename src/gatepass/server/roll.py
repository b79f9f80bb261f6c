"""The list of followers that servers on one database share: what is written into it, and what is heard from it.

Whoever is to get a lease is written down first. A receipt reads the list after its change was committed, so it
knows everybody who could answer without it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from gatepass.errors import GatepassError
from gatepass.followed import this_process
from gatepass.interfaces import Store
from gatepass.model.follower import FollowerRecord
from gatepass.server.followers import Followers, Instance
from gatepass.server.log import get_logger

_APART = 0.02
"""Seconds between two writes, and between two looks while a receipt waits."""
_AT_EASE = 1.0
"""Seconds between two looks while none does."""
_FORGOTTEN = 600.0
"""Whoever has not asked for so many seconds is taken off the list."""

_log = get_logger(__name__)
T = TypeVar("T")
Key = tuple[UUID, str]


class Run(Protocol):
    """Runs what blocks in a thread."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Return what `work` returns."""
        ...


class Roll:
    """Used in the event loop, but for what says otherwise. Does nothing where no other server has the store."""

    def __init__(self, store: Store, followers: Followers, run: Run) -> None:
        """Write down whom `followers` hears of, and let it hear of those of other servers."""
        self._store = store
        self._followers = followers
        self._run = run
        self._is_shared = not store.answers_inline
        self._waiting: dict[Key, FollowerRecord] = {}
        self._batch: asyncio.Task[str] | None = None
        self._writing = asyncio.Lock()
        self._wrote_at = float("-inf")
        self._turns: dict[Key, tuple[int, float]] = {}
        """Of each in the list the last turn, and when it was first seen."""
        self._watchers = 0
        self._wanted = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to look."""
        if self._is_shared:
            self._loop = asyncio.get_running_loop()
            self._looking = self._loop.create_task(self._keep_looking())

    async def sign(self, instance: Instance) -> str | None:
        """Write down that an instance asks for more; return when it is committed. Raises Unavailable.

        Returns the epoch of the database that has it, None where there is no need. SECURITY: what is read in
        another one gives no lease.
        """
        return await self._write(_record_of(instance, bound=instance.bound))

    async def leave(self, verifier_id: UUID, instance: str) -> None:
        """Write down that an instance answers nothing from memory any more. Raises Unavailable."""
        await self._write(FollowerRecord(verifier_id, instance, this_process(), "", "", 0, 0))

    @asynccontextmanager
    async def watched(self, *, doubt: float) -> AsyncIterator[None]:
        """Hear soon what other servers write down, beginning with all that they have.

        Where that cannot be read, receipts say that there may be leases for `doubt` seconds.
        """
        self._watchers += 1
        try:
            await self.look(doubt=doubt)
            self._wanted.set()
            yield
        finally:
            self._watchers -= 1

    async def look(self, *, doubt: float = 0) -> None:
        """Hear what other servers have written down."""
        if not self._is_shared:
            return
        try:
            records = await self._run(self._read)
        except GatepassError:
            self._followers.doubt(doubt)
            return
        self._hear(records)

    def look_now(self, *, doubt: float) -> None:
        """Do as `look` does, in a thread: reading in another one would wait for ever once all of them wait for that."""
        if self._loop is None:
            return
        try:
            hear = partial(self._hear, self._read())
        except GatepassError:
            hear = partial(self._followers.doubt, doubt)

        async def take() -> None:
            hear()

        asyncio.run_coroutine_threadsafe(take(), self._loop).result()

    async def _write(self, record: FollowerRecord) -> str | None:
        if not self._is_shared:
            return None
        self._waiting[record.verifier_id, record.instance] = record
        if self._batch is None:
            self._batch = asyncio.create_task(self._write_batch())
            self._batch.add_done_callback(
                lambda batch: batch.cancelled() or batch.exception()
            )  # who waits for it may have gone away
        return await asyncio.shield(self._batch)

    async def _write_batch(self) -> str:
        """Write what has come when it is our turn; whoever comes later waits for the next one."""
        async with self._writing:
            await asyncio.sleep(self._wrote_at + _APART - time.monotonic())
            self._wrote_at = time.monotonic()
            records, self._waiting, self._batch = self._waiting, {}, None
            return await self._run(lambda: self._save(records.values()))

    def _save(self, records: Collection[FollowerRecord]) -> str:
        with self._store.write_uses() as tx:
            tx.followers.save(records)
            return tx.changes.epoch()

    def _read(self) -> Collection[FollowerRecord]:
        with self._store.read() as tx:
            return tx.followers.list()

    def _hear(self, records: Collection[FollowerRecord]) -> None:
        now = time.monotonic()
        for each in records:
            key = each.verifier_id, each.instance
            turn, _ = self._turns.get(key, (0, now))
            if turn != each.turn:
                self._turns[key] = each.turn, now
                if each.server != this_process():  # what this one wrote it knows, and better
                    self._followers.hear_elsewhere(each)

    async def _keep_looking(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._wanted.wait(), _AT_EASE)
                await asyncio.sleep(_APART)
            except TimeoutError:
                await self._forget()
            if not self._watchers:
                self._wanted.clear()
            await self.look()

    async def _forget(self) -> None:
        oldest = time.monotonic() - _FORGOTTEN
        gone = {key: turn for key, (turn, seen_at) in self._turns.items() if seen_at < oldest}
        if not gone:
            return
        try:
            await self._run(lambda: self._remove(gone))
        except GatepassError as error:
            _log.warning("followers that are gone could not be forgotten", error=str(error))
            return
        for key in gone:
            del self._turns[key]

    def _remove(self, gone: dict[Key, int]) -> None:
        with self._store.write_uses() as tx:
            for (verifier_id, instance), turn in gone.items():
                tx.followers.remove(verifier_id, instance, turn=turn)


def _record_of(instance: Instance, *, bound: float) -> FollowerRecord:
    return FollowerRecord(
        instance.verifier_id,
        instance.instance,
        this_process(),
        instance.name,
        instance.epoch,
        instance.acknowledged,
        bound,
    )
