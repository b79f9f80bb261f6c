"""`gatepass verifiers`: services that may ask about tokens, on the server's own disk."""

from pathlib import Path
from typing import Any

import click

from gatepass.cli.client import Client
from gatepass.cli.options import config_option, data_option
from gatepass.cli.output import json_option, show_json, show_table
from gatepass.model.actor import CONSOLE
from gatepass.model.instant import iso
from gatepass.model.registered_verifier import RegisteredVerifier
from gatepass.server.installation import opened
from gatepass.server.settings import load_config
from gatepass.services.add_verifier import add_verifier
from gatepass.services.list_verifiers import list_verifiers
from gatepass.services.remove_verifier import remove_verifier


@click.group()
def verifiers() -> None:
    """Register services that may ask whether a token is good, list and remove them."""


@verifiers.command()
@click.argument("name")
@data_option
@config_option
@json_option
def add(name: str, data: str | None, config_file: Path | None, *, as_json: bool) -> None:
    """Register a service and print its credential, this once. A running server knows it at once."""
    with opened(load_config({"store.data": data}, file=config_file)) as deps:
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
@data_option
@config_option
@click.option("--url", help="Ask the server there, as an administrator, and show what is connected to it.")
@click.option("--email", help="With --url: sign in as this person. [default: GATEPASS_TOKEN]")
@click.option("--insecure-http", is_flag=True, help="With --url: allow plain HTTP to another machine.")
@json_option
def list_(
    data: str | None,
    config_file: Path | None,
    *,
    url: str | None,
    email: str | None,
    insecure_http: bool,
    as_json: bool,
) -> None:
    """List the registered services. Their credentials stay hidden."""
    if url:
        _list_connected(Client(url.rstrip("/"), email, insecure_http), as_json=as_json)
        return
    with opened(load_config({"store.data": data}, file=config_file)) as deps:
        rows = [_row(verifier) for verifier in list_verifiers(deps, CONSOLE)]
    if as_json:
        show_json({"data": rows})
    else:
        show_table(rows, {"name": "NAME", "id": "ID", "createdAt": "CREATED"}, empty="no verifiers")


def _list_connected(client: Client, *, as_json: bool) -> None:
    found = client.get("/v4/verifiers")
    if as_json:
        show_json(found)
        return
    columns = {"name": "NAME", "instance": "INSTANCE", "state": "STATE", "lag": "LAST CHANGE", "lease": "LEASE"}
    show_table([row for verifier in found["data"] for row in _instances(verifier)], columns, empty="no verifiers")


def _instances(verifier: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each instance of a verifier, or one that says that there is none."""
    name = verifier["name"]
    return [
        {
            "name": name,
            "instance": each["instance"],
            "state": _state(each),
            "lag": None if each["lagMs"] is None else f"{each['lagMs']} ms",
            "lease": f"{each['leaseMs'] / 1000:.1f} of {each['boundMs'] / 1000:g} s",
        }
        for each in verifier["instances"]
    ] or [{"name": name, "state": "not connected"}]


def _state(instance: dict[str, Any]) -> str:
    if not instance["isConnected"]:
        return "gone"
    return f"{instance['behind']} behind" if instance["behind"] else "up to date"


@verifiers.command()
@click.argument("verifier", metavar="NAME-OR-ID")
@data_option
@config_option
@json_option
def remove(verifier: str, data: str | None, config_file: Path | None, *, as_json: bool) -> None:
    """Remove a service: its credential is refused from now on, for ever."""
    with opened(load_config({"store.data": data}, file=config_file)) as deps:
        removed = remove_verifier(deps, CONSOLE, verifier)
    if as_json:
        show_json({"removed": str(removed.id)})
    else:
        click.echo(f"removed {removed.name} ({removed.id})")


def _row(verifier: RegisteredVerifier) -> dict[str, str]:
    return {"id": str(verifier.id), "name": verifier.name, "createdAt": iso(verifier.created_at)}
