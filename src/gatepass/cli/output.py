"""What commands print: results on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from gatepass import errors

DONE, FAILED, USAGE, UNREACHABLE, UNAUTHENTICATED = range(5)


class Unreachable(errors.Unavailable):
    """The server does not answer."""

    code = "unreachable"


class Refused(errors.GatepassError):
    """The server answered that it will not do this."""

    code = "refused"


def exit_code(error: Exception) -> int:
    """Return the exit code for an error, as PRODUCT section 7 has them."""
    if isinstance(error, Unreachable):
        return UNREACHABLE
    if isinstance(error, errors.NotAuthenticated):
        return UNAUTHENTICATED
    if isinstance(error, errors.BadConfiguration):
        return FAILED
    return USAGE if isinstance(error, errors.InvalidInput) else FAILED


def report(error: Exception, *, as_json: bool) -> None:
    """Say what went wrong, and what to do next if that is known."""
    hint = getattr(error, "hint", None)
    # SECURITY: what a library says of its own failures may quote a header with a token in it.
    shown = isinstance(error, errors.GatepassError | OSError)
    message = str(error) if shown else f"{type(error).__name__}, which should not happen"
    if as_json:
        code = error.code if isinstance(error, errors.GatepassError) else "error"
        click.echo(json.dumps({"error": {"code": code, "message": message, "hint": hint}}), err=True)
        return
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)
    if hint:
        click.echo(f"{click.style('hint:', bold=True)} {hint}", err=True)


def show_json(content: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(content, ensure_ascii=False, indent=2))


def show_fields(content: Mapping[str, Any]) -> None:
    """Print a record, a line for each field."""
    width = max((len(name) for name in content), default=0)
    for name, value in content.items():
        click.echo(f"{name:{width}}  {show_value(value)}")


def show_table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, empty: str) -> None:
    """Print records as a table; `columns` maps a field to its heading."""
    if not rows:
        click.echo(empty, err=True)
        return
    from rich.console import Console  # noqa: PLC0415  only tables need it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(show_value(row.get(field))) for field in columns))
    # What goes into a pipe is not cut to the width of a terminal.
    console = Console() if sys.stdout.isatty() else Console(width=10_000)
    with console.capture() as captured:
        console.print(table, soft_wrap=True)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


@contextmanager
def progress_bar(words: str) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how far long work is; yields what to call with (done, total)."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(words)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def show_value(value: Any) -> str:
    """Write one value for people."""
    words = {None: "-", True: "yes", False: "no"}
    if value is None or isinstance(value, bool):
        return words[value]
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
