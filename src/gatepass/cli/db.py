"""`gatepass db`: the database."""

from contextlib import closing
from pathlib import Path

import click

from gatepass.cli.options import Place, place_options
from gatepass.cli.output import DONE, FAILED, json_option, progress_bar, show_json
from gatepass.errors import BadConfiguration
from gatepass.server.installation import serve_lock
from gatepass.stores import DATABASE, move_to_postgres, open_store, upgrade_postgres
from gatepass.stores.files import sync_directory
from gatepass.stores.sql import sqlite


@click.group()
def db() -> None:
    """Check, upgrade and back up the database."""


@db.command()
@place_options
@json_option
def check(place: Place, *, as_json: bool) -> int:
    """Read the whole database and report what is wrong with it."""
    config = place.load().store
    with closing(open_store(Path(config.data), config.database)) as store:
        found = store.check_integrity()
    if as_json:
        show_json({"ok": not found, "problems": found})
    else:
        click.echo("\n".join(found) or "ok")
    return FAILED if found else DONE


@db.command()
@place_options
@json_option
def upgrade(place: Place, *, as_json: bool) -> None:
    """Bring the schema up to this version. Stop the server and make a backup first."""
    config = place.load().store
    if config.database:
        done = upgrade_postgres(config.database)
    else:
        with serve_lock(Path(config.data)):
            done = sqlite.upgrade(Path(config.data) / DATABASE)
    if as_json:
        show_json({"applied": done})
    else:
        click.echo("\n".join(f"applied {name}" for name in done) or "nothing to do")


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


@db.command()
@place_options
@json_option
def move(place: Place, *, as_json: bool) -> None:
    """Copy the SQLite file in DIR into an empty PostgreSQL database. Stop everything that uses the file first.

    Afterwards the file is called gatepass.db.moved, so that nothing goes on with it by mistake.
    """
    config = place.load().store
    folder = Path(config.data)
    if not config.database:
        raise BadConfiguration("store.database", "must say where to", hint="--database URL, or as for `serve`")
    with serve_lock(folder):
        sqlite.SqliteStore(folder / DATABASE).close()  # ours, private and of this schema, or it says what is wrong
        with progress_bar("copying") as advance:
            moved = move_to_postgres(folder / DATABASE, config.database, advance)
        (folder / DATABASE).rename(folder / f"{DATABASE}.moved")
        sync_directory(folder)
    if as_json:
        show_json({"rows": moved})
    else:
        click.echo("\n".join(f"{name}: {count}" for name, count in moved.items()))
        click.echo(f"all of it is in PostgreSQL, compared row by row; the file is now {DATABASE}.moved", err=True)
