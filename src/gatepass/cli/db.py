"""`gatepass db`: the database."""

from contextlib import closing
from pathlib import Path

import click

from gatepass.cli.options import Place, place_options
from gatepass.cli.output import DONE, FAILED, json_option, progress_bar, show_json
from gatepass.cli.restore import accept_restore_, restore
from gatepass.connect import journal_path, open_store
from gatepass.errors import BadConfiguration
from gatepass.server.installation import begin_journal, journal_of, serve_lock
from gatepass.server.settings import StoreConfig
from gatepass.stores import DATABASE, move_to_postgres, open_plain, upgrade_postgres
from gatepass.stores.files import sync_directory
from gatepass.stores.journal import Journal
from gatepass.stores.sql import sqlite


@click.group()
def db() -> None:
    """Check, upgrade, back up and restore the database."""


db.add_command(restore)
db.add_command(accept_restore_)


@db.command()
@place_options
@json_option
def check(place: Place, *, as_json: bool) -> int:
    """Read the whole database and its revocation journal, and report what is wrong with them."""
    config = place.load().store
    journal = journal_of(config, Path(config.data))
    with closing(open_plain(Path(config.data), config.database)) as store:
        found = [*store.check_integrity(), *(Journal(journal).problems() if journal else [])]
    if as_json:
        show_json({"ok": not found, "problems": found})
    else:
        click.echo("\n".join(found) or "ok")
    return FAILED if found else DONE


@db.command()
@place_options
@json_option
def upgrade(place: Place, *, as_json: bool) -> None:
    """Bring the schema up to this version. Stop the server and make a backup first.

    A database from before there was a revocation journal gets one. It begins with what the database says now.
    """
    config = place.load().store
    journal = journal_of(config, Path(config.data))
    if config.database:
        done = upgrade_postgres(config.database)
        begun = _begin_journal(config, journal)
    else:
        with serve_lock(Path(config.data)):
            done = sqlite.upgrade(Path(config.data) / DATABASE)
            begun = _begin_journal(config, journal)
    if as_json:
        show_json({"applied": done, "journal": str(journal) if begun else None})
    else:
        lines = [f"applied {name}" for name in done] + [f"began the revocation journal {journal}"] * begun
        click.echo("\n".join(lines) or "nothing to do")


def _begin_journal(config: StoreConfig, journal: Path | None) -> bool:
    """Begin a journal if the database never had one and there is none; tell whether that was done."""
    if journal is None:
        return False
    with closing(open_plain(Path(config.data), config.database)) as store:
        with store.read() as tx:
            known = tx.journal.find() is not None
        if known or journal.exists():
            return False
        begin_journal(store, journal)
        return True


@db.command()
@click.argument("target", type=click.Path(path_type=Path))
@place_options
@json_option
def backup(target: Path, place: Place, *, as_json: bool) -> None:
    """Copy the database into a new file while the server runs. Back up the key file apart from it."""
    config = place.load().store
    if config.database:
        raise BadConfiguration("store.database", "is backed up with PostgreSQL's own tools", hint="pg_dump, or better")
    with closing(sqlite.SqliteStore(Path(config.data) / DATABASE)) as store, progress_bar("copying") as advance:
        store.backup(target, advance)
    size = target.stat().st_size
    if as_json:
        show_json({"file": str(target), "bytes": size})
    else:
        click.echo(f"{target}: {size} bytes")


def _require_vouched_for(folder: Path, config: StoreConfig) -> None:
    """Raise unless the file is ours, private, of this schema, and has all that its revocation journal says."""
    with closing(open_store(folder, database="", journal=journal_path(folder, "", config.journal))) as store:
        store.check()


@db.command()
@place_options
@json_option
def move(place: Place, *, as_json: bool) -> None:
    """Copy the SQLite file in DIR into an empty PostgreSQL database. Stop everything that uses the file first.

    With `store.journal` set the revocation journal goes on, else it ends here. Afterwards the file is called
    gatepass.db.moved, so that nothing goes on with it by mistake.
    """
    config = place.load().store
    folder = Path(config.data)
    if not config.database:
        raise BadConfiguration("store.database", "must say where to", hint="--database URL, or as for `serve`")
    with serve_lock(folder):
        _require_vouched_for(folder, config)
        with progress_bar("copying") as advance:
            moved = move_to_postgres(folder / DATABASE, config.database, advance, with_journal=bool(config.journal))
        (folder / DATABASE).rename(folder / f"{DATABASE}.moved")
        sync_directory(folder)
    if as_json:
        show_json({"rows": moved})
    else:
        click.echo("\n".join(f"{name}: {count}" for name, count in moved.items()))
        click.echo(f"all of it is in PostgreSQL, compared row by row; the file is now {DATABASE}.moved", err=True)
