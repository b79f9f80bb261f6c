"""The PostgreSQL store: any number of servers on one database. It may block, so it is asked in batches.

Writers go one after the other, as in SQLite: each begins by locking the row that numbers the changes
(docs/decisions/0012). Uses of tokens are written beside them. Verification has connections of its own.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from uuid import UUID

from psycopg_pool import ConnectionPool

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.interfaces import Head, Transaction, Verification, Verifications
from gatepass.model.change import Change
from gatepass.stores.sql.connection import Connection
from gatepass.stores.sql.gathering import Gathering
from gatepass.stores.sql.integrity import find_faults
from gatepass.stores.sql.postgres_connection import (
    CONNECT_SECONDS,
    UNHURRIED,
    VERIFYING,
    WORKING,
    Patience,
    PostgresConnection,
    RawConnection,
    abandon,
    commit,
    connect,
    parameters_of,
    require_alive,
    translated,
)
from gatepass.stores.sql.postgres_schema import require_schema
from gatepass.stores.sql.transaction import SqlTransaction
from gatepass.stores.sql.verification import find_verifications

LEAST_VERSION = 150_000
CHANNEL = "gatepass"
"""What a transaction that changes what is accepted notifies; a hint, never the truth."""
MOST_VERIFYING, MOST_WORKING = 4, 8
"""The most connections of one process for verification, and for everything else."""

_DURABLE = frozenset({"on", "remote_apply"})
_NEVER_SETTLED = (1, 0)

_ONE_PLAN = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
"""For the one statement of verification: planned once and by its keys, not anew each time, in less than half the time."""

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_BESIDE = "BEGIN ISOLATION LEVEL READ COMMITTED"


class PostgresStore:
    """A store in a PostgreSQL database, shared by any number of processes on any number of hosts."""

    answers_inline = False

    def __init__(self, url: str) -> None:
        """Open an existing database of exactly this code's schema.

        `url` is `postgresql://…` and may name a password, which is kept from errors and logs. Raises
        BadConfiguration for a database that is not ours, of another schema, or that acknowledges
        what it could lose; Unavailable if it is out of reach.
        """
        parameters = self._parameters = parameters_of(url)
        with connect(parameters) as raw:
            _require_trustworthy(raw)
            require_schema(PostgresConnection(raw))
            self.behind_pooler = is_behind_pooler(raw)
        self._verifying = self._pool(parameters, MOST_VERIFYING, patience=VERIFYING, also=_ONE_PLAN)
        self._working = self._pool(parameters, MOST_WORKING, patience=WORKING)
        try:
            with translated():
                for pool in (self._verifying, self._working):
                    pool.wait(CONNECT_SECONDS)
        except BaseException:
            self.close()
            raise
        self._gathering = Gathering(self._look_up, at_once=MOST_VERIFYING, seconds=VERIFYING.lending)

    def _pool(
        self, parameters: Mapping[str, object], most: int, *, patience: Patience, also: str = ""
    ) -> "ConnectionPool[RawConnection]":
        def prepare(raw: RawConnection) -> None:
            raw.patience = patience
            if not self.behind_pooler:
                raw.execute(f"{patience.limits(scope='SESSION')}; {also}".encode())

        return ConnectionPool(
            connection_class=RawConnection,
            # Behind a pooler a session is not ours: nothing may be prepared in it or set for longer than a transaction.
            kwargs={**parameters, "autocommit": True, "prepare_threshold": None if self.behind_pooler else 2},
            min_size=1,
            max_size=most,
            timeout=patience.lending,
            reconnect_timeout=1,
            num_workers=1,
            configure=prepare,
            check=require_alive,
            open=True,
        )

    @contextmanager
    def _lent(self, pool: "ConnectionPool[RawConnection]") -> Iterator[RawConnection]:
        with translated():
            raw = pool.getconn()
        try:
            yield raw
        finally:
            abandon(raw)
            pool.putconn(raw)

    @contextmanager
    def _begun(self, pool: "ConnectionPool[RawConnection]", begin: str) -> Iterator[RawConnection]:
        """Lend a connection with an open transaction, begun in one round trip."""
        with self._lent(pool) as raw:
            with translated():
                limits = [raw.patience.limits(scope="LOCAL")] if self.behind_pooler else []
                raw.execute("; ".join([begin, *limits]).encode())
            yield raw

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a snapshot."""
        with self._begun(self._working, _SNAPSHOT) as raw:
            yield SqlTransaction(PostgresConnection(raw))

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open the writing transaction, when those before it are over; it commits durably when the block ends well."""
        with self._begun(self._working, _BESIDE) as raw:
            connection = PostgresConnection(raw)
            lock_writers(connection)
            transaction = SqlTransaction(connection)
            yield transaction
            if transaction.changes.latest is not None:
                connection.run(
                    "SELECT pg_notify(:channel, :latest)", channel=CHANNEL, latest=str(transaction.changes.latest)
                )
            commit(raw)

    @contextmanager
    def write_uses(self) -> Iterator[Transaction]:
        """Open a transaction beside the writing one."""
        with self._begun(self._working, _BESIDE) as raw:
            yield SqlTransaction(PostgresConnection(raw))
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
            with self._lent(self._verifying) as raw:
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
        found = self._look_up(()).head
        if found is None:
            raise Unavailable("the database counts no changes")
        return found

    def check(self) -> None:
        """Look how far the changes have come."""
        self.head()

    def check_integrity(self) -> Sequence[str]:
        """Read every row and return what is wrong; PostgreSQL itself has `pg_amcheck` for its files."""
        with closing(connect(self._parameters, patience=UNHURRIED)) as raw:
            raw.execute(_SNAPSHOT)
            return find_faults(PostgresConnection(raw))

    def close(self) -> None:
        """Close all connections."""
        for pool in (self._verifying, self._working):
            pool.close(timeout=1)


def lock_writers(connection: Connection) -> None:
    """Wait until no other transaction that may change things is open."""
    # SECURITY: what services read and then act upon (the owner is enabled, another administrator is left) holds
    # until their commit only because of this. Each later statement sees all that was committed before.
    if connection.one("SELECT value FROM counters WHERE name = 'changes' FOR UPDATE") is None:
        raise Unavailable("the database counts no changes")


def is_behind_pooler(raw: RawConnection) -> bool:
    """Tell whether something like PgBouncer sits in between: it invents process numbers of its own."""
    row = raw.execute("SELECT pg_backend_pid()").fetchone()
    return row is None or row[0] != raw.info.backend_pid


def _require_trustworthy(raw: RawConnection) -> None:
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
