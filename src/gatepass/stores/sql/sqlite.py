"""The SQLite driver: one file, one writing connection, as many reading ones as are in use.

Committed means durable: WAL with `synchronous=FULL`. The SQLite that apsw brings is checked at
start, because versions before 3.51.3 can lose committed writes (the WAL-reset race).
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Self
from uuid import UUID

import apsw

from gatepass.errors import BadConfiguration, Conflict, Unavailable
from gatepass.interfaces import Transaction, Verification, Verifications
from gatepass.model.change import Change
from gatepass.stores.files import create_private, identity_of, require_private, sync_directory
from gatepass.stores.sql import migrate
from gatepass.stores.sql.changes import SqlChanges
from gatepass.stores.sql.connection import Row, Value
from gatepass.stores.sql.transaction import SqlTransaction
from gatepass.stores.sql.verification import find_verification
from gatepass.stores.words import Words

LEAST_VERSION = (3, 51, 3)
APPLICATION_ID = 0x47504153  # "GPAS"
LOCK_SECONDS = 2.0
"""How long a writer waits for another one before it answers Unavailable."""

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA secure_delete = ON",
)
_KEPT = ["wal", 2, 1]
"""What journal_mode, synchronous and foreign_keys must read back as."""


class SqliteConnection:
    """One connection, used by one thread at a time."""

    def __init__(self, path: Path, *, vfs: str | None = None) -> None:
        """Open an existing file and check that the settings took."""
        flags = apsw.SQLITE_OPEN_READWRITE
        with _translated():
            self.raw = apsw.Connection(str(path), flags=flags, vfs=vfs)
            self.raw.set_busy_timeout(int(LOCK_SECONDS * 1000))
            for setting in _SETTINGS:
                self.raw.execute(setting).fetchall()
            kept = [self.raw.pragma("journal_mode"), self.raw.pragma("synchronous"), self.raw.pragma("foreign_keys")]
        if kept != _KEPT:
            raise BadConfiguration(str(path), f"SQLite did not take its settings: {kept}")

    def close(self) -> None:
        """Close it; what is not committed never happened."""
        self.raw.close(True)

    def one(self, sql: str, **values: Value) -> Row | None:
        """Run a query, return its first row."""
        with _translated():
            row: Row | None = self.raw.execute(sql, values).fetchone()
            return row

    def all(self, sql: str, **values: Value) -> Sequence[Row]:
        """Run a query, return all rows."""
        with _translated():
            return self.raw.execute(sql, values).fetchall()

    def run(self, sql: str, **values: Value) -> int:
        """Run a statement, return how many rows it changed."""
        with _translated():
            self.raw.execute(sql, values)
            return self.raw.changes()


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what SQLite raises into our own errors. The text of a row never gets into one."""
    try:
        yield
    except apsw.ConstraintError as error:
        raise Conflict("this contradicts what is stored") from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise Unavailable("the database is busy") from error
    except (apsw.SQLError, apsw.BindingsError, apsw.MisuseError):
        raise  # a mistake in our own code
    except apsw.Error as error:
        raise Unavailable(f"the database failed: {type(error).__name__}") from error


class SqliteStore:
    """A store in one SQLite file, shared by any number of processes on one host."""

    answers_inline = True

    def __init__(self, path: Path, *, vfs: str | None = None) -> None:
        """Open an existing database of exactly this code's schema.

        Raises BadConfiguration for a file that is missing, open to others, not ours, of another
        schema, or for a SQLite that cannot be trusted; Unavailable if it is damaged.
        """
        require_version()
        require_private(path)
        # SECURITY: by its one true name, as SQLite has it: everybody must find the same files beside it.
        path = path.resolve()
        require_private(path)
        self.path = path
        self._vfs = vfs
        self._writing = threading.Lock()
        self._readers: deque[SqliteConnection] = deque()
        self._writer: SqliteConnection | None = SqliteConnection(path, vfs=vfs)
        applied = schema_number(self._writer)
        if migrate.pending_migrations(applied):
            self.close()
            raise BadConfiguration(str(path), f"has the old schema {applied}", hint="run `gatepass db upgrade`")
        self._file = identity_of(path.stat())
        self._words = Words(path.with_name(f"{path.name}-words"))
        self._settle(self._writer)

    @classmethod
    def create(cls, path: Path, *, vfs: str | None = None) -> Self:
        """Make a new database. Raises FileExistsError."""
        require_version()
        create_private(path)
        upgrade(path, vfs=vfs)
        sync_directory(path.parent)
        return cls(path, vfs=vfs)

    def _settle(self, connection: SqliteConnection) -> None:
        """Bring the words and the database together: a machine may have stopped between them."""
        head = SqlChanges(connection).head()
        if list(self._words.values) == [head, head]:
            return
        connection.run("BEGIN IMMEDIATE")
        try:
            head = SqlChanges(connection).head()
            self._words.close()
            self._words = Words(self.path.with_name(f"{self.path.name}-words"))
            # SECURITY: an older database was put here; whoever has the newer one open must not go on with it.
            if self._words.retired or self._words.is_ahead_of(head):
                self._words = self._words.renew()
            self._words.settle(head)
        finally:
            connection.run("ROLLBACK")

    def _require_not_retired(self) -> None:
        if self._words.retired:
            raise Unavailable("the database was replaced while it was in use; start anew")

    def _require_in_place(self) -> None:
        """Raise Unavailable, here and in every process that has this database open, once another lies in its place."""
        try:
            if identity_of(self.path.stat()) != self._file:
                self._words.retire()
        except OSError:
            raise Unavailable(f"{self.path.name} is not there any more") from None
        self._require_not_retired()

    def retire(self) -> None:
        """Make every process that has this database open answer nothing from now on: another will take its place."""
        with self.write():
            self._words.retire()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a snapshot on a reading connection."""
        self._require_not_retired()
        with self._reader() as connection:
            connection.run("BEGIN")
            try:
                yield SqlTransaction(connection)
            finally:
                connection.run("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open the writing transaction; it commits durably when the block ends well."""
        if not self._writing.acquire(timeout=LOCK_SECONDS):
            raise Unavailable("the database is busy")
        try:
            connection = self._writer = self._writer or SqliteConnection(self.path, vfs=self._vfs)
            connection.run("BEGIN IMMEDIATE")
            try:
                transaction = SqlTransaction(connection)
                self._require_in_place()
                if self._words.distrust_if_replaced():
                    raise Unavailable(f"{self.path.name}-words was replaced while it was in use; start anew")
                if not self._words.settled:
                    self._words.settle(transaction.changes.head())
                yield transaction
                self._commit(connection, transaction.changes.latest)
            except BaseException:
                self._abandon(connection)
                raise
        finally:
            self._writing.release()

    def _commit(self, connection: SqliteConnection, revision: int | None) -> None:
        """Commit; if what is accepted has changed, every process of the host knows before this returns."""
        if revision is None:
            connection.run("COMMIT")
            return
        if self._words.is_ahead_of(revision - 1):  # somebody copied an older database over this one
            self._words.retire()
            self._require_not_retired()
        # SECURITY: in this order. Dying anywhere in between costs look-ups, never a wrong answer; so does a
        # commit that fails: whether it happened is not known, and the words stay unequal until the next one.
        self._words.begin(revision)
        connection.run("COMMIT")
        self._words.finish(revision)

    def _abandon(self, connection: SqliteConnection) -> None:
        """Take the open transaction back; a connection that cannot is given up."""
        try:
            if connection.raw.in_transaction:
                connection.run("ROLLBACK")
        except Unavailable:
            pass  # the error that led here says more
        finally:
            if connection.raw.in_transaction:
                connection.raw.close(True)
                self._writer = None

    def write_uses(self) -> AbstractContextManager[Transaction]:
        """Open the writing transaction: a file has only one."""
        return self.write()

    def find_verification(self, token_id: UUID) -> Verification | None:
        """Return what judging one token needs, with one statement."""
        self._require_not_retired()
        with self._reader() as connection:
            return find_verification(connection, token_id)

    def find_verifications(self, token_ids: Iterable[UUID]) -> Verifications:
        """Look up one after the other."""
        started, finished = self.words
        found = {each: one for each in token_ids if (one := self.find_verification(each))}
        return Verifications(found, head=None, stamp=started if started == finished else None)

    @property
    def words(self) -> Sequence[int]:
        """Return `(started, finished)`, in memory that all processes on this database share."""
        return self._words.values

    def changes_after(self, revision: int) -> Sequence[Change] | None:
        """Return the changes after `revision`."""
        with self.read() as tx:
            return tx.changes.list_after(revision)

    def check(self) -> None:
        """Read one row, and look whether the words are still those of everybody."""
        self._require_in_place()
        self._words.distrust_if_replaced()
        with self._reader() as connection:
            connection.one("SELECT value FROM counters LIMIT 1")

    def check_integrity(self, *, quick: bool = False) -> list[str]:
        """Read the whole file and return what is wrong with it; `quick` does not hold indexes against tables."""
        with self._reader() as connection:
            found = [str(row[0]) for row in connection.all(f"PRAGMA {'quick' if quick else 'integrity'}_check")]
            broken = connection.all("PRAGMA foreign_key_check")
        return [line for line in found if line != "ok"] + [f"dangling reference in {row[0]}" for row in broken]

    def backup(self, target: Path, progress: Callable[[int, int], None]) -> None:
        """Copy the database into a new file while it is in use; `progress` hears (done, total) pages.

        Raises Conflict if the file exists.
        """
        try:
            create_private(target)
        except FileExistsError:
            raise Conflict(f"{target}: exists already") from None
        with _translated(), self._reader() as source:
            copy = apsw.Connection(str(target))
            try:
                with copy.backup("main", source.raw, "main") as work:
                    while not work.done:
                        work.step(1000)
                        progress(work.page_count - work.remaining, work.page_count)
            finally:
                copy.close()
        sync_directory(target.parent)

    def close(self) -> None:
        """Close all connections."""
        while self._readers:
            self._readers.pop().raw.close(True)
        with self._writing:
            if self._writer is not None:
                self._writer.raw.close(True)
                self._writer = None

    @contextmanager
    def _reader(self) -> Iterator[SqliteConnection]:
        """Lend a reading connection to one thread."""
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = SqliteConnection(self.path, vfs=self._vfs)
            connection.run("PRAGMA query_only = ON")
        healthy = False
        try:
            yield connection
            healthy = True
        except Unavailable:
            raise
        except BaseException:
            healthy = True  # the fault lies with whoever borrowed it
            raise
        finally:
            if healthy and not connection.raw.in_transaction:
                self._readers.append(connection)
            else:
                connection.raw.close(True)


def require_version() -> None:
    """Raise BadConfiguration for a SQLite that can lose committed writes."""
    found = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if found < LEAST_VERSION:
        least = ".".join(map(str, LEAST_VERSION))
        raise BadConfiguration("SQLite", f"is version {apsw.sqlite_lib_version()}, Gatepass needs {least} or newer")


def schema_number(connection: SqliteConnection) -> int:
    """Return the number of the last migration applied, 0 for an empty database.

    Raises BadConfiguration for a database of another program.
    """
    number, application = connection.raw.pragma("user_version"), connection.raw.pragma("application_id")
    empty = connection.one("SELECT 1 FROM sqlite_schema LIMIT 1") is None
    if application != APPLICATION_ID and not (empty and number == 0 and application == 0):
        raise BadConfiguration("database", "was not made by Gatepass")
    return int(number)


def upgrade(path: Path, *, vfs: str | None = None) -> list[str]:
    """Bring a database to this code's schema, each migration in a transaction; return their names.

    Raises BadConfiguration if it is newer than the code or not ours, Unavailable if it is in use.
    """
    require_version()
    require_private(path)
    connection = SqliteConnection(path, vfs=vfs)
    try:
        done = []
        for migration in migrate.pending_migrations(schema_number(connection)):
            connection.run("BEGIN IMMEDIATE")
            try:
                migrate.apply(connection, migration)
                connection.run(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.run(f"PRAGMA user_version = {migration.number}")
                connection.run("COMMIT")
            except BaseException:
                connection.run("ROLLBACK")
                raise
            done.append(migration.name)
        return done
    finally:
        connection.raw.close(True)
