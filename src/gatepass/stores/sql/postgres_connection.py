"""Connections to PostgreSQL: how they are made, how long they wait, and what their errors mean.

Nothing waits for ever. The server ends a statement that takes too long; where no answer comes at all
(a dead line, a standby that does not confirm) the client gives up, and does not know what happened.
"""

import select
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from gatepass.errors import BadConfiguration, Conflict, Unavailable
from gatepass.stores.sql.connection import Row, Value
from gatepass.stores.sql.dialect import postgres_query, postgres_values

CONNECT_SECONDS = 2
_LOCK_SECONDS = 1
_IDLE_SECONDS = 5


class Patience(NamedTuple):
    """How many seconds those who use a connection wait for what."""

    statement: float
    """Until the server ends a statement."""
    reply: float
    """Until the client gives up, when nothing at all is heard."""
    lending: float
    """Until a connection is free."""

    def limits(self, *, scope: str) -> str:
        """Return the statements that tell the server; `scope` is SESSION, or LOCAL for the open transaction."""
        limits = {
            "statement_timeout": self.statement,
            "lock_timeout": min(_LOCK_SECONDS, self.statement),
            "idle_in_transaction_session_timeout": _IDLE_SECONDS,
        }
        return "; ".join(f"SET {scope} {name} = {round(seconds * 1000)}" for name, seconds in limits.items())


WORKING = Patience(statement=2, reply=3, lending=1.5)
VERIFYING = Patience(statement=1, reply=1.25, lending=0.5)
"""Together at most what a request for verification may take."""
UNHURRIED = Patience(statement=0, reply=3600, lending=1.5)
"""For what an operator waits for at a terminal."""

_DEFAULTS = {
    "connect_timeout": str(CONNECT_SECONDS),
    "application_name": "gatepass",
    "client_encoding": "UTF8",
    # Of several hosts the one that takes writes: a standby shows what was true a moment ago.
    "target_session_attrs": "read-write",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "2",
    "tcp_user_timeout": "5000",
}

_BUSY = frozenset({"55P03", "40P01", "40001", "57014"})
"""lock_not_available, deadlock_detected, serialization_failure, query_canceled."""

T = TypeVar("T")


class RawConnection(psycopg.Connection[TupleRow]):
    """A connection that gives up, and closes itself, when no answer comes."""

    patience = WORKING
    turn = 0
    """Belongs to `Hosts`: how often they had changed places when this was made."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the server's answer. Raises OperationalError when it takes too long.

        Whoever gives a `timeout` waits for nothing in particular, and goes on with the connection afterwards.
        """
        try:
            return super().wait(gen, interval, self.patience.reply if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001  nothing else tells it from the other errors
            if timeout is None:
                # SECURITY: whatever the server still says belongs to nobody any more.
                self.pgconn.finish()
            raise


class PostgresConnection:
    """The connection that the SQL of this package is written against."""

    def __init__(self, raw: RawConnection) -> None:
        """Work in the open transaction of `raw`."""
        self._raw = raw

    def one(self, sql: str, **values: Value) -> Row | None:
        """Run a query, return its first row."""
        with translated():
            return self._execute(sql, values).fetchone()

    def all(self, sql: str, **values: Value) -> Sequence[Row]:
        """Run a query, return all rows."""
        with translated():
            return self._execute(sql, values).fetchall()

    def run(self, sql: str, **values: Value) -> int:
        """Run a statement, return how many rows it changed."""
        with translated():
            return self._execute(sql, values).rowcount

    def _execute(self, sql: str, values: dict[str, Value]) -> psycopg.Cursor[TupleRow]:
        return self._raw.execute(postgres_query(sql).encode(), postgres_values(values))


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the driver raises into our own errors. Its text can quote rows and never gets into one."""
    try:
        yield
    except psycopg.IntegrityError:
        raise Conflict("this contradicts what is stored") from None
    except psycopg.Error as error:
        if error.sqlstate in _BUSY:
            raise Unavailable("the database is busy") from None
        kind = type(error).__name__
        raise Unavailable(f"the database failed: {kind} {error.sqlstate or ''}".rstrip()) from None


def parameters_of(url: str) -> Mapping[str, Any]:
    """Read a `postgresql://` URL, or libpq's `key=value` words. Raises BadConfiguration without quoting it."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        # SECURITY: the driver's text would quote the part it cannot read, and that may be the password.
        raise BadConfiguration(
            "store.database", "cannot be read", hint="it is like postgresql://gatepass@db.example.com/gatepass"
        ) from None
    return _DEFAULTS | given


def connect(parameters: Mapping[str, Any], *, patience: Patience = WORKING, prepares: bool = False) -> RawConnection:
    """Open one connection; it `prepares` statements only where a session is ours. Raises Unavailable, saying why."""
    try:
        raw = RawConnection.connect("", autocommit=True, prepare_threshold=2 if prepares else None, **parameters)
    except psycopg.Error as error:
        said = str(error).strip().splitlines()
        raise Unavailable(f"the database cannot be reached: {said[0] if said else type(error).__name__}") from None
    raw.patience = patience
    return raw


def is_behind_pooler(raw: RawConnection) -> bool:
    """Tell whether something like PgBouncer sits in between: it invents process numbers of its own."""
    with translated():
        row = raw.execute("SELECT pg_backend_pid()").fetchone()
    return row is None or row[0] != raw.info.backend_pid


def require_alive(raw: RawConnection) -> None:
    """Raise OperationalError if the server ended a connection while it was idle; costs no round trip."""
    arrived = select.poll()
    arrived.register(raw.pgconn.socket, select.POLLIN)
    while arrived.poll(0):
        raw.pgconn.consume_input()  # raises at the end of the stream


def commit(raw: RawConnection) -> None:
    """Commit. Raises Unavailable if that failed, or if it is not known whether it did not; then `raw` is closed."""
    warnings: list[str] = []
    raw.add_notice_handler(warned := lambda notice: warnings.append(notice.severity_nonlocalized or ""))
    try:
        with translated():
            done = raw.execute("COMMIT").statusmessage
    finally:
        raw.remove_notice_handler(warned)
    if done != "COMMIT":
        raise Unavailable("the database took the transaction back")
    # SECURITY: a wait for the standby that was cut short ends in a warning; the standby may not have it.
    if "WARNING" in warnings:
        raw.close()
        raise Unavailable("it is not known whether the standby has this")


def abandon(raw: RawConnection) -> None:
    """Take an open transaction back; a connection that cannot is closed."""
    try:
        if raw.info.transaction_status not in {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}:
            raw.execute("ROLLBACK")
    except psycopg.Error:
        raw.close()
