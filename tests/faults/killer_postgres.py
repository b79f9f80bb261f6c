"""A death at a named point, for a process over PostgreSQL, built in while it runs.

At SIGUSR1 the process reads `POINT N` from a file and dies at the N-th passing from then on. Points, all of a
transaction that may change something: `begin` (before it asks for the lock of all writers), `locked` (after),
`statement` (before one that changes something), `commit` (before COMMIT), `committed` (after it), `brought`
(after it counts in the memory of this process, before the reply).
"""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gatepass.model.change import Change
from gatepass.stores.sql import postgres
from gatepass.stores.sql.connection import Connection
from gatepass.stores.sql.postgres_connection import PostgresConnection, RawConnection
from gatepass.verifier.follower import Follower

POINTS = ("begin", "locked", "statement", "commit", "committed", "brought")


def arm_at_signal(orders: Path) -> None:
    """Read at SIGUSR1 where to die."""

    def read(*_: object) -> None:
        point, count = orders.read_text().split()
        arm(point, int(count))

    signal.signal(signal.SIGUSR1, read)


def arm(point: str, count: int) -> None:
    """Make the process die at the `count`-th passing of `point`."""
    plain_bring = Follower.bring
    left = [count]

    def pass_by(here: str) -> None:
        if here == point:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def bring(self: Follower, changes: Sequence[Change] | None, *, epoch: str) -> None:
        plain_bring(self, changes, epoch=epoch)
        pass_by("brought")

    Follower.bring = bring  # type: ignore[method-assign]
    _watch_writers(pass_by)


def _watch_writers(pass_by: Callable[[str], None]) -> None:
    """Pass by the points of transactions that may change something: uses, and who follows, are written beside."""
    plain_lock, plain_commit, plain_run = postgres.lock_writers, postgres.commit, PostgresConnection.run
    writing: list[RawConnection | None] = [None]

    def lock_writers(connection: Connection) -> None:
        pass_by("begin")
        plain_lock(connection)
        writing[0] = connection._raw
        pass_by("locked")

    def run(self: PostgresConnection, sql: str, **values: Any) -> int:
        if self._raw is writing[0] and sql.split(maxsplit=1)[0] in {"INSERT", "UPDATE", "DELETE"}:
            pass_by("statement")
        return plain_run(self, sql, **values)

    def commit(raw: RawConnection) -> None:
        if raw is not writing[0]:
            plain_commit(raw)
            return
        pass_by("commit")
        plain_commit(raw)
        writing[0] = None
        pass_by("committed")

    postgres.lock_writers, postgres.commit, PostgresConnection.run = lock_writers, commit, run
