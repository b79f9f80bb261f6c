"""The file of the revocation journal. It only grows, by a line for each transaction that ended something.

Whoever holds the store's write lock appends, and syncs before the transaction commits; the store keeps
how far it has followed (`JournalMark`). See `docs/explanation/restore.md`.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

from gatepass.errors import BadConfiguration, Conflict, Unavailable
from gatepass.model.journal import JournalMark, JournalRecord
from gatepass.stores.files import create_private, identity_of, require_private, sync_directory
from gatepass.stores.journal_lines import (
    TAIL,
    DamagedRecord,
    read_records,
    read_title,
    tail_of,
    write_record,
    write_title,
)

_LONGEST_TITLE = 4096


class JournalUnusable(Unavailable):
    """The journal cannot be read or written, or does not vouch for this database."""

    def __init__(self, message: str) -> None:
        """Add what to do about it."""
        super().__init__(message, hint="put the newest journal back, or see `gatepass db accept-restore --help`")


class JournalUnreachable(JournalUnusable):
    """It is not there, or the system refuses it; that says nothing about the database."""


class Journal:
    """One journal. Nothing is held open: what lies under its name counts, at each use."""

    def __init__(self, path: Path) -> None:
        """Name the file; it need not exist."""
        self.path = path.resolve()
        self._known: tuple[int, int, UUID] | None = None
        """Which file was seen to be which journal."""

    def create(self, journal_id: UUID, at: datetime, *, restores: int = 0) -> JournalMark:
        """Make the file and return the mark of its beginning. Raises Conflict if there is one, JournalUnusable."""
        line, mark = write_title(journal_id, at, restores=restores)
        try:
            create_private(self.path)
        except FileExistsError:
            raise Conflict(f"{self.path}: exists already", hint="a journal is never begun over another") from None
        except OSError as error:
            raise JournalUnreachable(f"the revocation journal {self.path} cannot be made: {error.strerror}") from None
        try:
            with self._opened(os.O_RDWR) as descriptor:
                self._write(descriptor, line, 0)
                sync_directory(self.path.parent)
        except BaseException:
            self.path.unlink()
            raise
        return mark

    def ends_at(self, mark: JournalMark) -> bool:
        """Tell whether the journal is known to be that of `mark` and to have nothing after it: by its size alone."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return found.st_size == mark.size and self._known == (*identity_of(found), mark.journal_id)

    def read_after(self, mark: JournalMark | None) -> tuple[Sequence[JournalRecord], JournalMark]:
        """Return the records after `mark`, and the mark after the last whole one.

        Raises JournalUnusable if the database has no mark, or if there is no journal, it is another one, it
        does not reach as far as the mark, or a record after the mark is damaged.
        """
        if mark is None:
            raise JournalUnusable("this database is from before there was a revocation journal")
        with self._opened(os.O_RDONLY) as descriptor:
            self._require_origin(descriptor, mark)
            content = _read(descriptor, mark.size)
        try:
            return read_records(content, mark)
        except DamagedRecord as error:
            raise JournalUnusable(f"{error} of the revocation journal {self.path} is damaged") from None

    def append(self, mark: JournalMark, record: JournalRecord) -> JournalMark:
        """Write the record that follows `mark` and sync it; return the mark after it. Raises JournalUnusable."""
        line, after = write_record(mark, record)
        with self._opened(os.O_RDWR) as descriptor:
            self._require_origin(descriptor, mark)
            if os.fstat(descriptor).st_size > mark.size:  # torn, and nobody was told of it
                os.ftruncate(descriptor, mark.size)
                os.fdatasync(descriptor)
            self._write(descriptor, line, mark.size)
        return after

    def beginning(self) -> JournalMark:
        """Return the mark before the first record of whatever journal this is. Raises JournalUnusable."""
        with self._opened(os.O_RDONLY) as descriptor:
            mark = read_title(_first_line(descriptor))
        if mark is None:
            raise JournalUnusable(f"{self.path} is no revocation journal")
        return mark

    def salvage(self) -> tuple[Sequence[JournalRecord], JournalMark]:
        """Return all records before the first damaged one, of whatever journal this is, and the mark of its beginning.

        Raises JournalUnusable.
        """
        start = self.beginning()
        with self._opened(os.O_RDONLY) as descriptor:
            content = _read(descriptor, start.size)
        try:
            return read_records(content, start)[0], start
        except DamagedRecord as error:
            return error.before, start

    def problems(self) -> list[str]:
        """Read the whole journal and return what is wrong with it."""
        try:
            self.read_after(self.beginning())
        except JournalUnusable as error:
            return [str(error)]
        return []

    def _write(self, descriptor: int, line: bytes, offset: int) -> None:
        try:
            written = 0
            while written < len(line):
                written += os.pwrite(descriptor, line[written:], offset + written)
            # SECURITY: on the disk before the transaction commits, and so before anybody is answered.
            os.fdatasync(descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, offset)
            raise

    @contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        """Open the file that lies under the name now; whatever the system refuses is JournalUnusable."""
        if not self.path.exists():
            raise JournalUnreachable(f"the revocation journal {self.path} is missing")
        try:
            require_private(self.path)
            descriptor = os.open(self.path, flags | os.O_CLOEXEC)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
        except BadConfiguration as error:
            raise JournalUnreachable(f"the revocation journal {error}") from None
        except OSError as error:
            raise JournalUnreachable(f"the revocation journal {self.path} cannot be used: {error.strerror}") from None

    def _require_origin(self, descriptor: int, mark: JournalMark) -> None:
        """Raise JournalUnusable unless this is the journal of `mark` and holds what the mark was made at."""
        found = os.fstat(descriptor)
        known = (*identity_of(found), mark.journal_id)
        if self._known != known:
            title = read_title(_first_line(descriptor))
            if title is None or title.journal_id != mark.journal_id:
                raise JournalUnusable(f"{self.path} is not the revocation journal of this database")
            self._known = known
        if found.st_size < mark.size:
            raise JournalUnusable(f"the revocation journal {self.path} ends before what this database has followed")
        if os.pread(descriptor, TAIL, mark.size - TAIL) != tail_of(mark):
            raise JournalUnusable(f"the revocation journal {self.path} tells another story than this database")


def _first_line(descriptor: int) -> bytes:
    line, end, _ = os.pread(descriptor, _LONGEST_TITLE, 0).partition(b"\n")
    return line + end


def _read(descriptor: int, offset: int) -> bytes:
    """Return everything from `offset` on."""
    parts = []
    while part := os.pread(descriptor, 1 << 20, offset):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)
