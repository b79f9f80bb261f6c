"""`gatepass db`: the database file."""

from pathlib import Path

import click

from gatepass.cli.options import config_option, data_option
from gatepass.cli.output import DONE, FAILED, json_option, progress_bar, show_json
from gatepass.server.installation import DATABASE, serve_lock
from gatepass.server.settings import load_config
from gatepass.stores.sql import sqlite


@click.group()
def db() -> None:
    """Check, upgrade and back up the database."""


def _path(data: str | None, config_file: Path | None) -> Path:
    return Path(load_config({"store.data": data}, file=config_file).store.data) / DATABASE


@db.command()
@data_option
@config_option
@json_option
def check(data: str | None, config_file: Path | None, *, as_json: bool) -> int:
    """Read the whole database and report what is wrong with it."""
    store = sqlite.SqliteStore(_path(data, config_file))
    try:
        found = store.check_integrity()
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
    """Bring the schema up to this version. Stop the server and make a backup first."""
    path = _path(data, config_file)
    with serve_lock(path.parent):
        done = sqlite.upgrade(path)
    if as_json:
        show_json({"applied": done})
    else:
        click.echo("\n".join(f"applied {name}" for name in done) or "nothing to do")


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
