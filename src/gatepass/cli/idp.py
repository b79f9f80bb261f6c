"""`gatepass idp`: the identity providers of the configuration, and whether they work."""

from collections.abc import Mapping
from typing import Any

import click

from gatepass.cli.options import Place, place_options
from gatepass.cli.output import DONE, FAILED, json_option, show_fields, show_json, show_table
from gatepass.connect import SystemClock
from gatepass.errors import NotFound, Unavailable
from gatepass.interfaces import ConfiguredProvider, ExaminedProvider, Step
from gatepass.model.identity import Identity, Refused, user_name_of
from gatepass.server.provider_settings import configured

_COLUMNS = {"id": "ID", "kind": "KIND", "name": "NAME", "can": "CAN"}


@click.group()
def idp() -> None:
    """Show and try the identity providers that are configured."""


@idp.command("list")
@place_options
@json_option
def list_(place: Place, *, as_json: bool) -> None:
    """List the providers in the order in which they are asked and offered."""
    rows = []
    for each in place.load().providers.values():
        built = configured(each, clock=SystemClock())
        rows.append({"id": each.id, "kind": each.config.kind, "name": built.name, "can": _abilities(built)})
    if as_json:
        show_json({"data": rows})
    else:
        show_table(rows, _COLUMNS, empty="no identity provider is configured")


def _abilities(built: ConfiguredProvider) -> list[str]:
    can = {"passwords": built.passwords, "redirect": built.redirect, "reading": built.directory}
    return [name for name, found in can.items() if found is not None]


@idp.command()
@click.argument("provider_id", metavar="ID")
@place_options
@click.option("--user", "login", metavar="NAME", help="Look somebody up, and show what they would be here.")
@json_option
def test(provider_id: str, place: Place, *, login: str | None, as_json: bool) -> int:
    """Try a provider: is it reached, does it let us look, and what becomes of somebody there.

    Asks for no password and changes nothing.
    """
    found = place.load().providers.get(provider_id)
    if found is None:
        raise NotFound(f"there is no provider {provider_id!r}", hint="`gatepass idp list` shows them all")
    built = configured(found, clock=SystemClock())
    steps = list(built.provider.steps()) if isinstance(built.provider, ExaminedProvider) else []
    person = _person(built, login) if login and not any(step.trouble for step in steps) else None
    works = not any(step.trouble for step in steps) and (person is None or person["maySignIn"])
    if as_json:
        show_json({"ok": works, "steps": [_step(step) for step in steps], "person": person})
    else:
        for step in steps:
            _say(step)
        if person:
            show_fields(person)
    return DONE if works else FAILED


def _step(step: Step) -> dict[str, str]:
    return {"step": step.words, "trouble": step.trouble, "hint": step.hint}


def _say(step: Step) -> None:
    click.echo(f"{'wrong' if step.trouble else 'ok':>5}  {step.words}{': ' + step.trouble if step.trouble else ''}")
    if step.hint:
        click.echo(f"       hint: {step.hint}")


def _person(built: ConfiguredProvider, login: str) -> Mapping[str, Any]:
    """Return what somebody is there, and would be here."""
    if not isinstance(built.provider, ExaminedProvider):
        return {"maySignIn": False, "reason": "this kind of provider cannot look anybody up"}
    try:
        told = built.provider.look_up(login)
    except Unavailable as error:
        return {"maySignIn": False, "reason": str(error)}
    if isinstance(told, Refused):
        return {"maySignIn": False, "reason": told.reason.value}
    return _mapped(built, told)


def _mapped(built: ConfiguredProvider, told: Identity) -> Mapping[str, Any]:
    rules = built.admission
    generates = rules.may_generate(told)
    return {
        "maySignIn": rules.may_sign_in(told),
        "nameHere": user_name_of(told),
        "administrator": rules.is_admin(told, before=False) if rules.admin_groups is not None else "as decided here",
        "mayGenerate": "as the settings say" if generates is None else generates,
        "subject": told.subject,
        "login": told.login,
        "name": told.name,
        "email": told.email,
        "emailVerified": told.email_verified,
        "groups": sorted(told.groups),
    }
