"""`gatepass key`: the peppers in the key file."""

from pathlib import Path

import click

from gatepass.cli.options import Place, place_options
from gatepass.cli.output import json_option, show_json, show_table
from gatepass.connect import KEYS
from gatepass.server.installation import opened
from gatepass.services.count_peppers import PepperUse, count_peppers
from gatepass.services.rotate_pepper import rotate_pepper
from gatepass.stores.keyfile import KeyFile


@click.group()
def key() -> None:
    """List and rotate the keys that stored tokens are kept under."""


@key.command("list")
@place_options
@json_option
def list_(place: Place, *, as_json: bool) -> None:
    """Show the peppers by number, and how many tokens and verifiers each keeps. The keys themselves stay hidden."""
    config = place.load()
    with opened(config) as deps:
        keyring = KeyFile(Path(config.store.data) / KEYS)
        counts = count_peppers(deps)
    current, _ = keyring.current_pepper()
    rows = [
        {"pepper": number, "current": number == current, "tokens": use.tokens, "verifiers": use.verifiers}
        for number, use in ((number, counts.get(number, PepperUse())) for number in keyring.numbers())
    ]
    if as_json:
        show_json({"data": rows})
    else:
        show_table(
            rows,
            {"pepper": "PEPPER", "current": "CURRENT", "tokens": "TOKENS", "verifiers": "VERIFIERS"},
            empty="no peppers",
        )


@key.command()
@place_options
@json_option
def rotate(place: Place, *, as_json: bool) -> None:
    """Add a pepper; new tokens take it, old ones go on working. A running server follows by itself."""
    config = place.load()
    with opened(config) as deps:
        keyring = KeyFile(Path(config.store.data) / KEYS)
        number = rotate_pepper(deps, keyring)
    if as_json:
        show_json({"pepper": number})
    else:
        click.echo(f"new tokens take pepper {number}; back up {keyring.path} apart from the database")
