"""Checks of a database in SQLite."""

from collections.abc import Mapping

import apsw

from gatepass.errors import GatepassError, Unavailable
from gatepass.server.doctor.finding import Check, Finding, NotExamined, Premises, ok, warning, wrong
from gatepass.stores.sql.sqlite import SqliteStore
from gatepass.stores.words import is_retired, read_words


def check_database(premises: Premises) -> Finding:
    """Find a database that cannot be opened: damaged, of another schema, under a SQLite that loses commits."""
    if isinstance(premises.opened, GatepassError):
        return wrong(str(premises.opened), premises.opened.hint or _LOST)
    # Opening has read the settings back, and compared the schema with this version.
    return ok(f"SQLite {apsw.sqlite_lib_version()}, WAL, synchronous=FULL, no migration is pending")


def check_integrity(premises: Premises) -> Finding:
    """Find pages that contradict each other. `gatepass db check` looks longer."""
    try:
        problems = _store(premises).check_integrity(quick=True)
    except Unavailable as error:
        problems = [str(error)]
    if problems:
        return wrong(f"it is damaged: {problems[0]}", _LOST)
    return ok("the quick check found nothing")


def _store(premises: Premises) -> SqliteStore:
    store = premises.store
    if not isinstance(store, SqliteStore):
        raise NotExamined("this is another kind of database")
    return store


_LOST = "stop the server, then `gatepass db restore` a backup"


def check_words(premises: Premises) -> Finding:
    """Find memory that nobody trusts: each verdict is looked up then. Opening the database puts it right."""
    words = read_words(premises.database.resolve().with_name(f"{premises.database.name}-words"))
    if words is None:
        return ok("nobody has opened the database yet")
    if is_retired(words):
        return warning(
            "another database was put in place: who had the one before it open answers 503",
            "start verifiers and services here anew that have not been since",
        )
    if words[0] != words[1]:
        return warning("a change is under way, or its writer died", "whoever opens the database next puts it right")
    return ok("every process of this host knows every change")


def check_journal_disk(premises: Premises) -> Finding:
    """Find a journal that would be lost together with its database."""
    if premises.journal is None:
        raise NotExamined("there is to be none")
    journal = premises.journal.path
    if not journal.exists():
        return wrong(f"{journal} is missing", "see `gatepass db accept-restore --help`")
    if journal.stat().st_dev == premises.database.stat().st_dev:
        return warning(
            f"{journal} is on the disk of the database: whoever loses one loses both",
            "move it while nothing runs, and say where it is with store.journal",
        )
    return ok(f"{journal}, on a disk of its own")


CHECKS: Mapping[str, Check] = {
    "words": check_words,
    "database": check_database,
    "integrity": check_integrity,
    "journal disk": check_journal_disk,
}
