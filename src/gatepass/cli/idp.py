"""`gatepass idp`: the identity providers of the configuration, and whether they work."""

from collections.abc import Mapping
from typing import Any

import click

from gatepass.cli.idp_file import add, remove
from gatepass.cli.options import Place, place_options
from gatepass.cli.output import DONE, FAILED, json_option, show_fields, show_json, show_table
from gatepass.connect import SystemClock
from gatepass.errors import NotFound
from gatepass.interfaces import ConfiguredProvider, Step
from gatepass.server.provider_settings import configured
from gatepass.services.examine_provider import Examination, examine

_COLUMNS = {"id": "ID", "kind": "KIND", "name": "NAME", "can": "CAN"}


@click.group()
def idp() -> None:
    """Show and try the identity providers that are configured, add and remove them."""


idp.add_command(add)
idp.add_command(remove)


@idp.command("list")
@place_options
@json_option
def list_(place: Place, *, as_json: bool) -> None:
    """List the providers in the order in which they are asked and offered."""
    rows = []
    for each in place.load(with_providers=True).providers.values():
        built = configured(each, clock=SystemClock())
        rows.append({"id": each.id, "kind": each.config.kind, "name": built.name, "can": _abilities(built)})
    if as_json:
        show_json({"data": rows})
    else:
        show_table(rows, _COLUMNS, empty="no identity provider is configured")


def _abilities(built: ConfiguredProvider) -> list[str]:
    can = {"passwords": built.passwords, "redirect": built.redirect, "proxy": built.proxy, "reading": built.directory}
    found = [name for name, capability in can.items() if capability is not None]
    return [*found, "pushing"] if built.push_digests else found


@idp.command()
@click.argument("provider_id", metavar="ID")
@place_options
@click.option("--user", "login", metavar="NAME", help="Look somebody up, and show what they would be here.")
@json_option
def test(provider_id: str, place: Place, *, login: str | None, as_json: bool) -> int:
    """Try a provider: is it reached, does it let us look, and what becomes of somebody there.

    Asks for no password and changes nothing.
    """
    found = place.load(with_providers=True).providers.get(provider_id)
    if found is None:
        raise NotFound(f"there is no provider {provider_id!r}", hint="`gatepass idp list` shows them all")
    built = configured(found, clock=SystemClock())
    try:
        examined = examine(built, login=login or "")
    finally:
        built.provider.close()
    person = _person(examined) if login else None
    if as_json:
        show_json({"ok": examined.works, "steps": [_step(step) for step in examined.steps], "person": person})
    else:
        for step in examined.steps:
            _say(step)
        if person:
            show_fields(person)
    return DONE if examined.works else FAILED


def _step(step: Step) -> dict[str, str]:
    return {"step": step.words, "trouble": step.trouble, "hint": step.hint}


def _say(step: Step) -> None:
    click.echo(f"{'wrong' if step.trouble else 'ok':>5}  {step.words}{': ' + step.trouble if step.trouble else ''}")
    if step.hint:
        click.echo(f"       hint: {step.hint}")


def _person(examined: Examination) -> Mapping[str, Any] | None:
    """Return what somebody is there, and would be here; None if it came to nothing before."""
    found = examined.prospect
    if found is None:
        return {"maySignIn": False, "reason": examined.trouble} if examined.trouble else None
    told = found.identity
    return {
        "maySignIn": found.may_sign_in,
        "nameHere": found.name,
        "administrator": "as decided here" if found.is_admin is None else found.is_admin,
        "mayGenerate": "as the settings say" if found.may_generate is None else found.may_generate,
        "subject": told.subject,
        "login": told.login,
        "name": told.name,
        "email": told.email,
        "emailVerified": told.email_verified,
        "groups": sorted(told.groups),
    }
