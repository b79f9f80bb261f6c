"""`gatepass db`: the database file."""

from pathlib import Path

import click

from gatepass.cli.options import config_option, data_option
from gatepass.cli.output import DONE, FAILED, json_option, progress_bar, show_json
from gatepass.cli.restore import accept_restore_, restore
from gatepass.connect import DATABASE
from gatepass.server.installation import begin_journal, journal_of, serve_lock
from gatepass.server.settings import load_config
from gatepass.stores.journal import Journal
from gatepass.stores.sql import sqlite


@click.group()
def db() -> None:
    """Check, upgrade, back up and restore the database."""


db.add_command(restore)
db.add_command(accept_restore_)


def _path(data: str | None, config_file: Path | None) -> Path:
    return Path(load_config({"store.data": data}, file=config_file).store.data) / DATABASE


@db.command()
@data_option
@config_option
@json_option
def check(data: str | None, config_file: Path | None, *, as_json: bool) -> int:
    """Read the whole database and its revocation journal, and report what is wrong with them."""
    config = load_config({"store.data": data}, file=config_file).store
    store = sqlite.SqliteStore(Path(config.data) / DATABASE)
    try:
        found = store.check_integrity() + Journal(journal_of(config, Path(config.data))).problems()
    finally:
        store.close()
    if as_json:
        show_json({"ok": not found, "problems": found})
    else:
        click.echo("\n".join(found) or "ok")
    return FAILED if found else DONE


@db.command()
@data_option
@config_option
@json_option
def upgrade(data: str | None, config_file: Path | None, *, as_json: bool) -> None:
    """Bring the schema up to this version. Stop the server and make a backup first.

    A database from before there was a revocation journal gets one. It begins with what the database says now.
    """
    config = load_config({"store.data": data}, file=config_file).store
    path, journal = Path(config.data) / DATABASE, journal_of(config, Path(config.data))
    with serve_lock(path.parent):
        done = sqlite.upgrade(path)
        begun = _begin_journal(path, journal)
    if as_json:
        show_json({"applied": done, "journal": str(journal) if begun else None})
    else:
        lines = [f"applied {name}" for name in done] + [f"began the revocation journal {journal}"] * begun
        click.echo("\n".join(lines) or "nothing to do")


def _begin_journal(database: Path, journal: Path) -> bool:
    """Begin a journal if the database never had one and there is none; tell whether that was done."""
    store = sqlite.SqliteStore(database)
    try:
        with store.read() as tx:
            known = tx.journal.find() is not None
        if known or journal.exists():
            return False
        begin_journal(store, journal)
        return True
    finally:
        store.close()


@db.command()
@click.argument("target", type=click.Path(path_type=Path))
@data_option
@config_option
@json_option
def backup(target: Path, data: str | None, config_file: Path | None, *, as_json: bool) -> None:
    """Copy the database into a new file while the server runs. Back up the key file apart from it."""
    store = sqlite.SqliteStore(_path(data, config_file))
    try:
        with progress_bar("copying") as advance:
            store.backup(target, advance)
    finally:
        store.close()
    size = target.stat().st_size
    if as_json:
        show_json({"file": str(target), "bytes": size})
    else:
        click.echo(f"{target}: {size} bytes")
