"""Measures any store: how long each use took, and whether it failed."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from gatepass.errors import Unavailable
from gatepass.interfaces import Store, Transaction, Verification, Verifications
from gatepass.model.change import Change


class StoreObserver(Protocol):
    """Hears of each use of a store."""

    def used(self, operation: str, seconds: float, *, failed: bool) -> None:
        """Take note; `operation` is `read`, `write` or `verify`."""
        ...


class ObservedStore:
    """A store that tells an observer of everything done with `store`."""

    def __init__(self, store: Store, observer: StoreObserver) -> None:
        """Wrap `store`."""
        self._store = store
        self._observer = observer

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a snapshot for reading."""
        with self._timed("read"), self._store.read() as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open the writing transaction."""
        with self._timed("write"), self._store.write() as tx:
            yield tx

    @contextmanager
    def write_uses(self) -> Iterator[Transaction]:
        """Open a transaction for uses."""
        with self._timed("write"), self._store.write_uses() as tx:
            yield tx

    @property
    def answers_inline(self) -> bool:
        """Tell what the store tells."""
        return self._store.answers_inline

    def find_verifications(self, token_ids: Iterable[UUID]) -> Verifications:
        """Return what judging many tokens needs."""
        with self._timed("verify"):
            return self._store.find_verifications(token_ids)

    def find_verification(self, token_id: UUID) -> Verification | None:
        """Return what judging one token needs."""
        with self._timed("verify"):
            return self._store.find_verification(token_id)

    @property
    def words(self) -> Sequence[int]:
        """Return the store's numbers; looking at them is not measured."""
        return self._store.words

    def changes_after(self, revision: int) -> Sequence[Change] | None:
        """Return the changes after `revision`."""
        with self._timed("read"):
            return self._store.changes_after(revision)

    def check(self) -> None:
        """Ask the store whether it answers."""
        self._store.check()

    def check_integrity(self) -> Sequence[str]:
        """Ask the store to read everything."""
        return self._store.check_integrity()

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    @contextmanager
    def _timed(self, operation: str) -> Iterator[None]:
        began = time.perf_counter()
        failed = False
        try:
            yield
        except Unavailable:
            failed = True
            raise
        finally:
            self._observer.used(operation, time.perf_counter() - began, failed=failed)
