"""`gatepass user`: people, over REST; `recover` works on the server's own disk."""

from typing import Any

import click

from gatepass.cli.client import Client, ask_password, client_options, read_password_file
from gatepass.cli.options import Place, place_options
from gatepass.cli.output import json_option, show_json, show_table
from gatepass.server.installation import opened
from gatepass.services.recover_user import recover_user

_COLUMNS = {
    "email": "E-MAIL",
    "name": "NAME",
    "isAdmin": "ADMINISTRATOR",
    "isDisabled": "DISABLED",
    "lastLoginTime": "LAST SIGN-IN",
    "id": "ID",
}


@click.group()
def user() -> None:
    """Add, list, disable, enable and delete people; change or recover a password."""


@user.command()
@click.argument("address", metavar="EMAIL")
@click.option("--name", help="Display name.")
@click.option("--admin", is_flag=True, help="Make them an administrator.")
@click.option("--password-file", metavar="F", help="File with a password; without it a one-time link is printed.")
@json_option
@client_options
def add(
    client: Client, *, address: str, name: str | None, admin: bool, password_file: str | None, as_json: bool
) -> None:
    """Add a person (administrators)."""
    body: dict[str, Any] = {"email": address, "isAdmin": admin}
    if name is not None:
        body["name"] = name
    if password_file is not None:
        body["password"] = read_password_file(password_file).reveal()
    made = client.call("POST", "/v4/people", body).body
    if as_json:
        show_json(made)
        return
    click.echo(f"added {made['email']} ({made['id']})")
    if "setPasswordUrl" in made:
        click.echo("give them this link; it works once, for 24 hours:", err=True)
        click.echo(made["setPasswordUrl"])


@user.command("list")
@click.option("--search", help="The start of the e-mail address or name.")
@json_option
@client_options
def list_(client: Client, *, search: str | None, as_json: bool) -> None:
    """List people (administrators)."""
    rows = list(client.list("/v4/people", q=search))
    if as_json:
        show_json({"data": rows})
    else:
        show_table(rows, _COLUMNS, empty="nobody")


@user.command()
@click.argument("person")
@json_option
@client_options
def disable(client: Client, *, person: str, as_json: bool) -> None:
    """Disable a person: sessions end, tokens are refused (administrators)."""
    _patch(client, person, {"isDisabled": True}, done="disabled", as_json=as_json)


@user.command()
@click.argument("person")
@json_option
@client_options
def enable(client: Client, *, person: str, as_json: bool) -> None:
    """Enable a person again: their tokens work again (administrators)."""
    _patch(client, person, {"isDisabled": False}, done="enabled", as_json=as_json)


def _patch(client: Client, person: str, changes: dict[str, Any], *, done: str, as_json: bool) -> None:
    found = client.person(person)
    changed = client.call("PATCH", f"/v4/people/{found['id']}", changes).body
    if as_json:
        show_json(changed)
    else:
        click.echo(f"{done} {found['email']}")


@user.command()
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@client_options
def delete(client: Client, *, person: str, yes: bool, as_json: bool) -> None:
    """Delete a person for good; their tokens are dead (administrators)."""
    found = client.person(person)
    if not yes:
        click.confirm(f"Delete {found['email']} and end all their tokens for ever?", abort=True, err=True)
    client.call("DELETE", f"/v4/people/{found['id']}")
    if as_json:
        show_json({"deleted": found["id"]})
    else:
        click.echo(f"deleted {found['email']}")


@user.command()
@json_option
@client_options
def password(client: Client, *, as_json: bool) -> None:
    """Change your own password. Your other sessions end, your tokens stay."""
    client.change_password(ask_password("New password", twice=True))
    if as_json:
        show_json({"changed": True})
    else:
        click.echo("password changed")


@user.command()
@click.argument("email")
@place_options
@click.option("--password-file", metavar="F", help="File with the new password; - is standard input.")
@json_option
def recover(email: str, place: Place, password_file: str | None, *, as_json: bool) -> None:
    """Give a person their access back, on the server's own console.

    Sets a new password, enables them if disabled and ends their sessions. Works while the server
    runs and without it. Where local sign-in is off the password counts for an hour.
    """
    chosen = read_password_file(password_file) if password_file else ask_password("New password", twice=True)
    with opened(place.load()) as deps:
        found = recover_user(deps, email, chosen)
        is_brief = not deps.local_sign_in
    if as_json:
        show_json({"id": str(found.id), "email": found.email, "isAdmin": found.is_admin})
    else:
        role = "an administrator" if found.is_admin else "not an administrator"
        click.echo(f"{found.email} ({role}) can sign in with the new password{', for an hour' if is_brief else ''}")
        if is_brief:
            click.echo("it counts no longer than that, because sign_in.local is off", err=True)
