"""`gatepass db restore` and `gatepass db accept-restore`: a backup comes back, the dead do not."""

from datetime import UTC, datetime
from pathlib import Path

import click

from gatepass.cli.options import config_option, data_option
from gatepass.cli.output import DONE, FAILED, json_option, show_json
from gatepass.errors import InvalidInput
from gatepass.model.instant import iso
from gatepass.model.journal import Replayed
from gatepass.server.installation import journal_of
from gatepass.server.restoring import Doubt, accept_restore, find_doubt, restore_backup
from gatepass.server.settings import load_config


def _places(data: str | None, config_file: Path | None) -> tuple[Path, Path]:
    """Return the directory and the revocation journal."""
    config = load_config({"store.data": data}, file=config_file).store
    return Path(config.data), journal_of(config, Path(config.data))


@click.command()
@click.argument("backup", type=click.Path(path_type=Path))
@data_option
@config_option
@json_option
def restore(backup: Path, data: str | None, config_file: Path | None, *, as_json: bool) -> int:
    """Put a backup in the place of the database. Stop the server first.

    What was deleted, disabled or switched off since the backup is so again, from the revocation journal. The
    database that was there is kept beside it. Embedded verifiers and listeners that run answer 503 until they
    are started anew.
    """
    directory, journal = _places(data, config_file)
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
@data_option
@config_option
@json_option
def accept_restore_(before: str, data: str | None, config_file: Path | None, *, yes: bool, as_json: bool) -> None:
    """Let a database into service that no revocation journal vouches for.

    The last resort, where the newest journal is lost. What was deleted or disabled after the last record of
    this database, and in no journal, WORKS AGAIN. DATE (UTC) says what you take the database for: if it
    holds a record of that date or later, nothing is done. A new journal begins; it is in the audit log.
    """
    directory, journal = _places(data, config_file)
    instant = _instant(before)
    doubt = find_doubt(directory, journal)
    if not yes:
        _warn(doubt)
        click.confirm("Let it in?", abort=True, err=True)
    replayed = accept_restore(directory, journal, before=instant, doubt=doubt)
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
