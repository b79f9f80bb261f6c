"""`gatepass verifiers`: services that may ask about tokens, on the server's own disk."""

import click

from gatepass.cli.options import Place, place_options
from gatepass.cli.output import json_option, show_json, show_table
from gatepass.model.actor import CONSOLE
from gatepass.model.instant import iso
from gatepass.model.registered_verifier import RegisteredVerifier
from gatepass.server.installation import opened
from gatepass.services.add_verifier import add_verifier
from gatepass.services.list_verifiers import list_verifiers
from gatepass.services.remove_verifier import remove_verifier


@click.group()
def verifiers() -> None:
    """Register services that may ask whether a token is good, list and remove them."""


@verifiers.command()
@click.argument("name")
@place_options
@json_option
def add(name: str, place: Place, *, as_json: bool) -> None:
    """Register a service and print its credential, this once. A running server knows it at once."""
    with opened(place.load()) as deps:
        added = add_verifier(deps, CONSOLE, name)
    # SECURITY: the one place where the credential is revealed.
    credential = added.credential.reveal()
    if as_json:
        show_json(_row(added.verifier) | {"credential": credential})
        return
    # The credential alone on standard output, so that `CREDENTIAL=$(gatepass verifiers add …)` works.
    click.echo(credential)
    click.echo(f"verifier  {added.verifier.name}\nid        {added.verifier.id}", err=True)
    click.echo("keep the credential now: it is not shown again", err=True)


@verifiers.command("list")
@place_options
@json_option
def list_(place: Place, *, as_json: bool) -> None:
    """List the registered services. Their credentials stay hidden."""
    with opened(place.load()) as deps:
        rows = [_row(verifier) for verifier in list_verifiers(deps, CONSOLE)]
    if as_json:
        show_json({"data": rows})
    else:
        show_table(rows, {"name": "NAME", "id": "ID", "createdAt": "CREATED"}, empty="no verifiers")


@verifiers.command()
@click.argument("verifier", metavar="NAME-OR-ID")
@place_options
@json_option
def remove(verifier: str, place: Place, *, as_json: bool) -> None:
    """Remove a service: its credential is refused from now on, for ever."""
    with opened(place.load()) as deps:
        removed = remove_verifier(deps, CONSOLE, verifier)
    if as_json:
        show_json({"removed": str(removed.id)})
    else:
        click.echo(f"removed {removed.name} ({removed.id})")


def _row(verifier: RegisteredVerifier) -> dict[str, str]:
    return {"id": str(verifier.id), "name": verifier.name, "createdAt": iso(verifier.created_at)}
