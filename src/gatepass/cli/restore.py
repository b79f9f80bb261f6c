"""`gatepass db restore` and `gatepass db accept-restore`: a backup comes back, the dead do not."""

from datetime import UTC, datetime
from pathlib import Path

import click

from gatepass.cli.options import Place, place_options
from gatepass.cli.output import DONE, FAILED, json_option, show_json
from gatepass.errors import BadConfiguration, InvalidInput
from gatepass.model.instant import iso
from gatepass.model.journal import Replayed
from gatepass.server.installation import journal_of
from gatepass.server.restoring import Doubt, accept_restore, find_doubt, restore_backup
from gatepass.server.settings import StoreConfig


def _places(place: Place) -> tuple[StoreConfig, Path, Path]:
    """Return the section of the configuration, the directory and the revocation journal."""
    config = place.load().store
    journal = journal_of(config, Path(config.data))
    if journal is None:
        raise BadConfiguration("store.journal", "is not set, so nothing is compared with this database")
    return config, Path(config.data), journal


@click.command()
@click.argument("backup", type=click.Path(path_type=Path))
@place_options
@json_option
def restore(backup: Path, place: Place, *, as_json: bool) -> int:
    """Put a backup in the place of the database. Stop the server first.

    What was deleted, disabled or switched off since the backup is so again, from the revocation journal. The
    database that was there is kept beside it. Embedded verifiers and listeners that run answer 503 until they
    are started anew.
    """
    if place.load().store.database:
        raise BadConfiguration("store.database", "is restored with PostgreSQL's own tools", hint="then start `serve`")
    _, directory, journal = _places(place)
    done = restore_backup(backup, directory, journal)
    if as_json:
        trouble = {"message": str(done.trouble), "hint": done.trouble.hint} if done.trouble else None
        kept = str(done.kept) if done.kept else None
        show_json({"kept": kept, "replayed": done.replayed.words(), "unavailable": trouble})
    else:
        _show(done.replayed)
        if done.kept:
            click.echo(f"the database that was there: {done.kept}")
        if done.trouble:
            click.echo(f"{click.style('verification answers 503:', fg='red', bold=True)} {done.trouble}", err=True)
            click.echo(f"{click.style('hint:', bold=True)} {done.trouble.hint}", err=True)
    return FAILED if done.trouble else DONE


@click.command("accept-restore")
@click.option("--before", required=True, metavar="DATE", help="When the database was surely older, as 2026-11-28.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@place_options
@json_option
def accept_restore_(before: str, place: Place, *, yes: bool, as_json: bool) -> None:
    """Let a database into service that no revocation journal vouches for.

    The last resort, where the newest journal is lost. What was deleted or disabled after the last record of
    this database, and in no journal, WORKS AGAIN. DATE (UTC) says what you take the database for: if it
    holds a record of that date or later, nothing is done. A new journal begins; it is in the audit log.
    """
    config, directory, journal = _places(place)
    instant = _instant(before)
    doubt = find_doubt(directory, journal, database=config.database)
    if not yes:
        _warn(doubt)
        click.confirm("Let it in?", abort=True, err=True)
    replayed = accept_restore(directory, journal, before=instant, doubt=doubt, database=config.database)
    if as_json:
        last = iso(doubt.last_record_at) if doubt.last_record_at else None
        show_json({"reason": doubt.reason, "lastRecordAt": last, "replayed": replayed.words(), "journal": str(journal)})
    else:
        _show(replayed)
        click.echo(f"a new revocation journal begins: {journal}")


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput("--before", f"must be a date or an instant like 2026-11-28T12:00Z, not {text!r}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _warn(doubt: Doubt) -> None:
    last = iso(doubt.last_record_at) if doubt.last_record_at else "never"
    click.echo(f"{doubt.reason}.", err=True)
    click.echo(f"Its last record is of {last}; it has {doubt.tokens} tokens that are not deleted.", err=True)
    click.echo("Whatever was deleted, disabled or switched off after that, and in no journal, WORKS AGAIN.", err=True)


def _show(replayed: Replayed) -> None:
    for line in replayed.words() or ["nothing was lacking"]:
        click.echo(f"replayed: {line}" if not replayed.is_nothing else line)
