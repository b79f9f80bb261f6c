"""`gatepass settings`: over REST, or with --data straight on the server's disk."""

from collections.abc import Mapping
from typing import Any

import click

from gatepass.cli.client import Client, client_options
from gatepass.cli.options import Place, place_options
from gatepass.cli.output import json_option, show_fields, show_json
from gatepass.errors import InvalidInput
from gatepass.model.actor import CONSOLE
from gatepass.model.settings import parse_setting
from gatepass.server.installation import opened
from gatepass.services.change_settings import change_settings
from gatepass.services.get_settings import get_settings


@click.group()
def settings() -> None:
    """List, get and set what administrators decide for everybody."""


@settings.command("list")
@place_options
@json_option
@client_options
def list_(client: Client, *, place: Place, as_json: bool) -> None:
    """Show all settings."""
    (show_json if as_json else show_fields)(_load(client, place))


@settings.command()
@click.argument("name")
@place_options
@json_option
@client_options
def get(client: Client, *, name: str, place: Place, as_json: bool) -> None:
    """Show one setting."""
    found = _load(client, place)
    if name not in found:
        raise InvalidInput(name, f"is not a setting; there are {', '.join(sorted(found))}")
    if as_json:
        show_json({name: found[name]})
    else:
        click.echo(str(found[name]).lower())


@settings.command("set", context_settings={"ignore_unknown_options": True})  # -1 is a value
@click.argument("name")
@click.argument("value")
@place_options
@json_option
@client_options
def set_(client: Client, *, name: str, value: str, place: Place, as_json: bool) -> None:
    """Change one setting; it holds at once."""
    changes = {name: parse_setting(name, value)}
    if not place.is_given:
        after: Mapping[str, Any] = client.call("PATCH", "/v4/settings", changes).body
    else:
        with opened(place.load()) as deps:
            after = change_settings(deps, CONSOLE, changes).public()
    if as_json:
        show_json({name: after[name]})
    else:
        click.echo(f"{name} is {str(after[name]).lower()}")


def _load(client: Client, place: Place) -> Mapping[str, Any]:
    if not place.is_given:
        found: Mapping[str, Any] = client.get("/v4/settings")
        return found
    with opened(place.load()) as deps:
        return get_settings(deps, CONSOLE).public()
