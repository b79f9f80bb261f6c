"""The PostgreSQL store: any number of servers on one database. It may block, so it is asked in batches.

Writers go one after the other, as in SQLite: each begins by locking the row that numbers the changes
(docs/decisions/0015-postgresql.md). Uses of tokens are written beside them. Verification has connections of its own.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.interfaces import Head, Transaction, Verification, Verifications
from gatepass.model.change import Change
from gatepass.model.instant import from_milliseconds
from gatepass.stores.sql.connection import Connection
from gatepass.stores.sql.gathering import Gathering
from gatepass.stores.sql.hosts import hosts_of
from gatepass.stores.sql.integrity import find_faults
from gatepass.stores.sql.notify import notify
from gatepass.stores.sql.pool import Pool
from gatepass.stores.sql.postgres_connection import (
    UNHURRIED,
    VERIFYING,
    WORKING,
    Patience,
    PostgresConnection,
    RawConnection,
    commit,
    is_behind_pooler,
    translated,
)
from gatepass.stores.sql.postgres_schema import require_schema
from gatepass.stores.sql.transaction import PostgresTransaction
from gatepass.stores.sql.verification import find_head, find_verifications

LEAST_VERSION = 150_000
MOST_VERIFYING, MOST_WORKING = 4, 8
"""The most connections of one process for verification, and for everything else."""

_DURABLE = frozenset({"on", "remote_apply"})
_NEVER_SETTLED = (1, 0)

_ONE_PLAN = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
"""For the one statement of verification: planned once and by its keys. Planned anew it takes twice as long."""

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_BESIDE = "BEGIN ISOLATION LEVEL READ COMMITTED"


class Surroundings(NamedTuple):
    """What a database says of itself, for whoever looks after it."""

    version: str
    synchronous_commit: str
    standbys: Mapping[str, str | None]
    """The name of each standby that is connected, with its `sync_state`; None if that is hidden from us."""
    is_pooled: bool
    at: datetime
    """The time by the database's clock."""


class PostgresStore:
    """A store in a PostgreSQL database, shared by any number of processes on any number of hosts."""

    answers_inline = False

    def __init__(self, url: str) -> None:
        """Open an existing database of exactly this code's schema.

        `url` is `postgresql://…` and may name a password, which is kept from errors and logs. Raises
        BadConfiguration for a database that is not ours, of another schema, or that acknowledges
        what it could lose; Unavailable if it is out of reach.
        """
        self._hosts = hosts_of(url)
        with self._hosts.connect() as raw:
            require_trustworthy(raw)
            require_schema(PostgresConnection(raw))
            self.behind_pooler = is_behind_pooler(raw)
        self._verifying = self._pool(MOST_VERIFYING, VERIFYING, also=_ONE_PLAN)
        self._working = self._pool(MOST_WORKING, WORKING)
        self._gathering = Gathering(self._look_up, at_once=MOST_VERIFYING, seconds=VERIFYING.lending)

    def _pool(self, most: int, patience: Patience, *, also: str = "") -> Pool:
        def make() -> RawConnection:
            # Behind a pooler a session is not ours: nothing may be prepared in it or set for longer than a transaction.
            raw = self._hosts.connect(patience=patience, prepares=not self.behind_pooler)
            if not self.behind_pooler:
                with translated():
                    raw.execute(f"{patience.limits(scope='SESSION')}; {also}".encode())
            return raw

        return Pool(make, hosts=self._hosts, most=most, seconds=patience.lending)

    @contextmanager
    def _begun(self, pool: Pool, begin: str) -> Iterator[RawConnection]:
        """Lend a connection with an open transaction, begun in one round trip."""
        with pool.lent() as raw:
            with translated():
                limits = [raw.patience.limits(scope="LOCAL")] if self.behind_pooler else []
                raw.execute("; ".join([begin, *limits]).encode())
            yield raw

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a snapshot."""
        with self._begun(self._working, _SNAPSHOT) as raw:
            yield PostgresTransaction(PostgresConnection(raw))
            commit(raw)  # at a ROLLBACK the driver forgets all statements that it has prepared

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open the writing transaction, when those before it are over; it commits durably when the block ends well."""
        with self._begun(self._working, _BESIDE) as raw:
            connection = PostgresConnection(raw)
            lock_writers(connection)
            transaction = PostgresTransaction(connection)
            yield transaction
            if transaction.changes.latest is not None:
                notify(raw, transaction.changes.latest)
            commit(raw)

    @contextmanager
    def write_uses(self) -> Iterator[Transaction]:
        """Open a transaction beside the writing one."""
        with self._begun(self._working, _BESIDE) as raw:
            yield PostgresTransaction(PostgresConnection(raw))
            commit(raw)

    def find_verification(self, token_id: UUID) -> Verification | None:
        """Return what judging one token needs."""
        return self.find_verifications([token_id]).found.get(token_id)

    def find_verifications(self, token_ids: Iterable[UUID]) -> Verifications:
        """Return what judging many tokens needs; those asked for at the same time share one statement."""
        return self._gathering.find(token_ids)

    def _look_up(self, token_ids: Collection[UUID]) -> Verifications:
        with self._looking() as connection:
            return find_verifications(connection, token_ids)

    @contextmanager
    def _looking(self) -> Iterator[Connection]:
        """Lend a connection for one statement of verification."""
        if self.behind_pooler:
            with self._begun(self._verifying, _BESIDE) as raw:
                yield PostgresConnection(raw)
        else:
            with self._verifying.lent() as raw:
                yield PostgresConnection(raw)

    @property
    def words(self) -> Sequence[int]:
        """Return numbers that are never settled: no memory is shared with the writers on other hosts."""
        return _NEVER_SETTLED

    def changes_after(self, revision: int) -> Sequence[Change] | None:
        """Return the changes after `revision`."""
        with self.read() as tx:
            return tx.changes.list_after(revision)

    def head(self) -> Head:
        """Return how far the changes have come, in one look-up. Raises Unavailable also on a standby."""
        with self._looking() as connection:
            return find_head(connection)

    def check(self) -> None:
        """Look how far the changes have come."""
        self.head()

    def check_integrity(self) -> Sequence[str]:
        """Read every row and return what is wrong; PostgreSQL itself has `pg_amcheck` for its files."""
        with closing(self._hosts.connect(patience=UNHURRIED)) as raw:
            connection = PostgresConnection(raw)
            connection.run(_SNAPSHOT)
            return find_faults(connection)

    def surroundings(self) -> Surroundings:
        """Return what the database says of itself, now."""
        with self._begun(self._working, _BESIDE) as raw:
            connection = PostgresConnection(raw)
            row = connection.one(
                "SELECT current_setting('server_version'), current_setting('synchronous_commit'),"
                " CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
            )
            rows = connection.all("SELECT coalesce(application_name, ''), pid, sync_state FROM pg_stat_replication")
        if row is None:
            raise Unavailable("the database says nothing of itself")
        standbys = {f"{name or 'standby'} ({pid})": state for name, pid, state in rows}
        return Surroundings(str(row[0]), str(row[1]), standbys, self.behind_pooler, from_milliseconds(int(row[2])))

    def close(self) -> None:
        """Close all connections."""
        for pool in (self._verifying, self._working):
            pool.close()


def lock_writers(connection: Connection) -> None:
    """Wait until no other transaction that may change things is open."""
    # SECURITY: what services read and then act upon (the owner is enabled, another administrator is left) holds
    # until their commit only because of this. Each later statement sees all that was committed before.
    if connection.one("SELECT value FROM counters WHERE name = 'changes' FOR UPDATE") is None:
        raise Unavailable("the database counts no changes")


def require_trustworthy(raw: RawConnection) -> None:
    """Raise BadConfiguration for a server that is too old, or that acknowledges what it could lose."""
    if raw.info.server_version < LEAST_VERSION:
        raise BadConfiguration(
            "store.database", f"is PostgreSQL {raw.info.server_version // 10_000}, Gatepass needs 15"
        )
    with translated():
        row = raw.execute("SELECT current_setting('synchronous_commit')").fetchone()
    found = row[0] if row else ""
    if found not in _DURABLE:
        raise BadConfiguration(
            "store.database",
            f"has synchronous_commit = {found}: what it acknowledges could be lost",
            hint="ALTER DATABASE … SET synchronous_commit = on",
        )
