"""`gatepass config`: what is configured, and where that comes from."""

import click

from gatepass.cli.options import Place, place_options
from gatepass.cli.output import json_option, show_json, show_table
from gatepass.server.settings import SECTIONS


@click.group()
def config() -> None:
    """Show the configuration."""


@config.command()
@place_options
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@json_option
def show(place: Place, *, origin: bool, as_json: bool) -> None:
    """Show every key with its value; secrets are hidden."""
    loaded = place.load(with_providers=True)
    rows = []
    for key, where in loaded.origins.items():
        value = loaded.value(key)
        shown = "(hidden)" if loaded.is_secret(key) and value else list(value) if isinstance(value, tuple) else value
        rows.append({"key": key, "value": shown} | ({"origin": where} if origin else {}))
    if as_json:
        show_json({"data": rows, "sections": list(SECTIONS)})
        return
    columns = {"key": "KEY", "value": "VALUE"} | ({"origin": "ORIGIN"} if origin else {})
    show_table(rows, columns, empty="nothing")
