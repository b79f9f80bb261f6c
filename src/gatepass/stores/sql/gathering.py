"""Gathers what many threads look up at once into one query."""

import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from typing import Generic, TypeVar
from uuid import UUID

from gatepass.errors import Unavailable

T = TypeVar("T")


class _Batch(Generic[T]):
    """Ids that are looked up together, and what was found."""

    def __init__(self) -> None:
        self.ids: set[UUID] = set()
        self.outcome: Future[T] = Future()


class Gathering(Generic[T]):
    """Runs a few look-ups at a time; whoever comes while all are under way shares the next one.

    Nobody waits for company: alone, a look-up begins at once. Under load the batches grow.
    """

    def __init__(self, look_up: Callable[[Collection[UUID]], T], *, at_once: int, seconds: float) -> None:
        """Use `look_up`, at most `at_once` times at once; nobody waits longer than about `seconds` for a turn."""
        self._look_up = look_up
        self._seconds = seconds
        self._turns = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._next: _Batch[T] | None = None

    def find(self, ids: Iterable[UUID]) -> T:
        """Return what a look-up found that began after this call and had these ids among its own. May block.

        Raises Unavailable, to everybody who shares the look-up, when it fails or takes too long.
        """
        with self._lock:
            leads = self._next is None
            batch = self._next = self._next or _Batch()
            batch.ids.update(ids)
        if leads:
            self._lead(batch)
        try:
            return batch.outcome.result(timeout=2 * self._seconds)
        except TimeoutError:
            raise Unavailable("the look-up took too long") from None
        except Unavailable as error:
            raise Unavailable(str(error)) from None  # one of its own for each of them

    def _lead(self, batch: _Batch[T]) -> None:
        """Wait for a turn, close the batch and look it up; its outcome is set whatever happens."""
        has_turn = self._turns.acquire(timeout=self._seconds)
        # SECURITY: closed before the look-up begins: what was changed before a caller came is seen by it.
        with self._lock:
            self._next = None
        try:
            if not has_turn:
                raise Unavailable("too many look-ups are under way")
            batch.outcome.set_result(self._look_up(batch.ids))
        except BaseException as error:  # noqa: BLE001  the others must hear of it; the leader does too
            batch.outcome.set_exception(error)
        finally:
            if has_turn:
                self._turns.release()
