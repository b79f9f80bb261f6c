"""Connections to PostgreSQL that are lent to one thread at a time.

Why not psycopg-pool: whoever finds a broken connection there waits for a second before the next try
(docs/decisions/0015-postgresql.md), and verification has less than that.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from gatepass.errors import Unavailable
from gatepass.stores.sql.hosts import Hosts
from gatepass.stores.sql.postgres_connection import RawConnection, abandon, require_alive

LIFE_SECONDS = 30.0
"""How old a connection gets. After a failover one may lead to the old primary, which still reads."""


class Pool:
    """At most so many connections, made when they are needed by whoever needs them. Safe in any thread.

    One in which something was Unavailable is not lent again: the next may lead to a server that is well. Nor is
    any other that leads to a host which is in doubt.
    """

    def __init__(
        self,
        make: Callable[[], RawConnection],
        *,
        hosts: Hosts,
        most: int,
        seconds: float,
        life: float = LIFE_SECONDS,
    ) -> None:
        """Make connections to `hosts` with `make`; a borrower waits so many `seconds` until one of `most` is free.

        A connection is not lent any more `life` seconds after it was made.
        """
        self._make = make
        self._hosts = hosts
        self._life = life
        self._free = threading.Semaphore(most)
        self._seconds = seconds
        self._idle: deque[tuple[RawConnection, float]] = deque()
        """Each with when its life is over."""
        self._is_closed = False

    @contextmanager
    def lent(self) -> Iterator[RawConnection]:
        """Lend a connection; an open transaction is taken back when it is returned. Raises Unavailable."""
        if not self._free.acquire(timeout=self._seconds):
            raise Unavailable("all connections to the database are in use")
        try:
            raw, until = self._take()
            try:
                yield raw
            except Unavailable:
                if raw.closed:
                    self._hosts.doubt(raw)
                raw.close()
                raise
            finally:
                abandon(raw)
                if self._is_closed:
                    raw.close()
                elif not raw.closed:
                    self._idle.append((raw, until))
        finally:
            self._free.release()

    def _take(self) -> tuple[RawConnection, float]:
        """Return the connection used last, which is the likeliest to live, or a new one."""
        while True:
            try:
                raw, until = self._idle.pop()
            except IndexError:
                return self._make(), time.monotonic() + self._life
            try:
                require_alive(raw)
            except psycopg.Error:
                raw.close()
            else:
                if time.monotonic() < until and self._hosts.is_current(raw):
                    return raw, until
                raw.close()

    def close(self) -> None:
        """Close what is not lent; what is, when it is returned."""
        self._is_closed = True
        while self._idle:
            self._idle.pop()[0].close()
