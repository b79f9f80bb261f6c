"""Put a backup in the place of the database, and let one into service that no journal vouches for."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from gatepass.connect import SystemClock, open_journalled
from gatepass.errors import BadConfiguration, Conflict, Unavailable
from gatepass.interfaces import Page, Store, Transaction
from gatepass.model.actor import CONSOLE
from gatepass.model.change import ChangeKind
from gatepass.model.event import DatabaseRestored, RestoreAccepted
from gatepass.model.instant import iso
from gatepass.model.journal import JournalRecord, Replayed
from gatepass.server.installation import begin_journal, serve_lock
from gatepass.services.record_event import record_event
from gatepass.services.replay_journal import replay_journal
from gatepass.stores import DATABASE, open_plain
from gatepass.stores.files import create_private, sync_directory
from gatepass.stores.journal import Journal, JournalUnusable
from gatepass.stores.sql import sqlite
from gatepass.stores.words import Words


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore."""

    kept: Path | None
    """Where the database went that was there before."""
    replayed: Replayed
    trouble: Unavailable | None
    """Why it answers nothing yet."""


def restore_backup(backup: Path, data: Path, journal: Path) -> Restored:
    """Put `backup` in the place of the database in `data`, and repeat what its journal says.

    The database that was there is kept. Whoever has it open, an embedded verifier or a listener, answers
    503 from then on until it is started anew. Raises Conflict while `serve` runs, BadConfiguration or
    Unavailable for a backup that cannot be used; then nothing was changed.
    """
    with serve_lock(data):
        with TemporaryDirectory(prefix=".restore-", dir=data) as folder:
            draft = _checked_copy(backup, Path(folder) / DATABASE)
            kept = _put_aside(data / DATABASE)
            draft.rename(data / DATABASE)
        sync_directory(data)
        store = open_journalled(data, database="", journal=journal)
        try:
            if store.trouble is None:
                store.count_restore()
            return Restored(kept, store.replayed, store.trouble)
        finally:
            store.close()


def _checked_copy(backup: Path, draft: Path) -> Path:
    """Copy a backup, with a write-ahead log that lies beside it, and bring the copy to this schema."""
    for suffix in ("", "-wal"):
        source, target = backup.with_name(backup.name + suffix), draft.with_name(draft.name + suffix)
        if suffix and not source.exists():
            continue
        create_private(target)
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise BadConfiguration(str(source), f"cannot be read: {error.strerror}") from None
    _require_backup(draft, backup)
    sqlite.upgrade(draft)
    store = sqlite.SqliteStore(draft)
    try:
        if problems := store.check_integrity():
            raise BadConfiguration(str(backup), f"is damaged: {problems[0]}", hint="nothing was changed")
        with store.write() as tx:
            record_event(tx, CONSOLE, DatabaseRestored(file=str(backup)), now=SystemClock().now())
    finally:
        store.close()
    _sync(draft)
    return draft


def _require_backup(draft: Path, backup: Path) -> None:
    """Raise BadConfiguration for what is no database of ours; an empty file would become a new one."""
    try:
        connection = sqlite.SqliteConnection(draft)
    except Unavailable as error:
        raise BadConfiguration(str(backup), f"is no database: {error}", hint="nothing was changed") from None
    try:
        if not sqlite.schema_number(connection):
            raise BadConfiguration(str(backup), "is empty", hint="nothing was changed")
    finally:
        connection.raw.close(True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_aside(database: Path) -> Path | None:
    """Rename the database that is in place, once nobody answers from it any more; return its new name."""
    if not database.exists():
        return None
    _retire(database)
    kept = _name_aside(database)
    # SECURITY: the database first. Should this stop in between, there is none: never one with the log of another.
    for suffix in ("", "-wal", "-shm", "-words"):
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    sync_directory(database.parent)
    return kept


def _name_aside(path: Path) -> Path:
    """Return what a file that was in use until now is called from now on."""
    return path.with_name(f"{path.name}.until-{SystemClock().now():%Y%m%dT%H%M%S.%f}")


def _retire(database: Path) -> None:
    try:
        store = sqlite.SqliteStore(database)
    except (BadConfiguration, Unavailable):
        # It is damaged, or of another version: then nobody can write into it, but memories may be trusted still.
        Words(database.with_name(f"{database.name}-words")).retire()
        return
    try:
        store.retire()
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class Doubt:
    """What somebody should know who lets a database into service that no journal vouches for."""

    reason: str
    last_record_at: datetime | None
    """The instant of the last audit record."""
    tokens: int
    """How many are not deleted."""


def find_doubt(data: Path, journal: Path, *, database: str = "") -> Doubt:
    """Return why the database answers nothing. Raises Conflict if there is no reason."""
    store = open_plain(data, database)
    try:
        with store.read() as tx:
            reason = _reason(tx, Journal(journal))
            newest = tx.events.list(Page(limit=1, newest_first=True))
            return Doubt(reason, newest[0].at if newest else None, sum(tx.tokens.count_by_pepper().values()))
    finally:
        store.close()


def _reason(tx: Transaction, journal: Journal) -> str:
    try:
        journal.read_after(tx.journal.find())
    except JournalUnusable as error:
        return str(error)
    raise Conflict("the revocation journal vouches for this database; there is nothing to accept")


def accept_restore(data: Path, journal: Path, *, before: datetime, doubt: Doubt, database: str = "") -> Replayed:
    """Let the database into service as it is, with a new journal; the old one, if any, is kept.

    What the old journal says of tokens and people in this database is repeated first. Raises Conflict if the
    database holds a record of `before` or later: it is not the one that was meant.
    """
    if doubt.last_record_at is not None and doubt.last_record_at >= before:
        raise Conflict(
            f"this database holds a record of {iso(doubt.last_record_at)}, which is not before {iso(before)}",
            hint="nothing was changed; is it the database you think it is?",
        )
    store = open_plain(data, database)
    try:
        replayed, restores = _accept(store, Journal(journal), before=before, doubt=doubt)
        if journal.exists():
            journal.rename(_name_aside(journal))
        begin_journal(store, journal, restores=restores + 1)
        return replayed
    finally:
        store.close()


def _accept(store: Store, journal: Journal, *, before: datetime, doubt: Doubt) -> tuple[Replayed, int]:
    """Repeat what can be read, and leave the audit record; return how often a database was put back until now."""
    now = SystemClock().now()
    with store.write() as tx:
        records, restores = _readable(tx, journal)
        replayed = replay_journal(tx, records, now=now) if records else Replayed()
        last = iso(doubt.last_record_at) if doubt.last_record_at else None
        event = RestoreAccepted(before=iso(before), last_record_at=last, reason=doubt.reason)
        record_event(tx, CONSOLE, event, now=now)
        tx.changes.add(ChangeKind.EVERYTHING)
        return replayed, restores


def _readable(tx: Transaction, journal: Journal) -> tuple[list[JournalRecord], int]:
    mark = tx.journal.find()
    restores = mark.restores if mark else 0
    try:
        records, start = journal.salvage()
    except JournalUnusable:
        return [], restores
    restores = max([restores, start.restores, *(record.restores for record in records)])
    # What the database has followed already it knows better than an old copy of the journal.
    followed = mark.number if mark and mark.journal_id == start.journal_id else 0
    return [record for record in records if record.number > followed], restores
