"""`gatepass token`: your access tokens, over REST."""

import http
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import click

from gatepass.cli.client import Client, ask_password, bearer, client_options
from gatepass.cli.lifetime import Lifetime
from gatepass.cli.output import DONE, FAILED, json_option, show_fields, show_json, show_table
from gatepass.errors import NotAuthenticated

_COLUMNS = {
    "tokenId": "TOKEN ID",
    "description": "DESCRIPTION",
    "status": "STATUS",
    "createdAt": "CREATED",
    "expiredAt": "EXPIRES",
    "lastUsed": "LAST USED",
    "rights": "RIGHTS",
}


_OWN = "/v4/apiAccessTokens"


@click.group()
def token() -> None:
    """Create, list, show, delete and verify access tokens."""


@token.command()
@click.option("--lifetime", type=Lifetime(), required=True, help="100s, 15m, 12h, 30d or never.")
@click.option("--description", help="Which script, on which machine?")
@click.option("--scope", "scopes", multiple=True, help="What it may be used for, noun:verb; repeatable.")
@click.option("--network", "networks", multiple=True, help="Where it may be used from, 10.0.0.0/8; repeatable.")
@click.option("--audience", multiple=True, help="A service that it is meant for; repeatable.")
@json_option
@client_options
def create(client: Client, *, lifetime: int, description: str | None, as_json: bool, **given: Sequence[str]) -> None:
    """Create a token and print its value, this once.

    Without --scope, --network and --audience it may do what you may, from anywhere, with any service.
    """
    body = {
        "lifetimeSeconds": lifetime,
        "description": description,
        "scopes": list(given["scopes"]) or None,
        "allowedNetworks": list(given["networks"]) or None,
        "audience": list(given["audience"]) or None,
    }
    made = client.call("POST", _OWN, {name: value for name, value in body.items() if value is not None}).body
    if as_json:
        show_json(made)
        return
    # The value alone on standard output, so that `TOKEN=$(gatepass token create …)` works.
    click.echo(made["tokenValue"])
    info = made["tokenInfo"]
    told = f"token id  {info['tokenId']}\nexpires   {info['expiredAt'] or 'never'}\nrights    {_rights(info)}"
    click.echo(told, err=True)
    click.echo("keep the value now: it is not shown again", err=True)


@token.command("list")
@click.option("--status", type=click.Choice(["all", "active", "expired", "deleted"]), default="all", show_default=True)
@click.option("--search", help="The start of the description or of the token id.")
@click.option("--person", help="Somebody else's, for administrators: id or e-mail address.")
@json_option
@client_options
def list_(client: Client, *, status: str, search: str | None, person: str | None, as_json: bool) -> None:
    """List tokens, oldest first."""
    path = _OWN
    if person:
        path = f"/v4/people/{client.person(person)['id']}/apiAccessTokens"
    rows = list(client.list(path, status=status, q=search))
    if as_json:
        show_json({"data": rows})
    else:
        show_table([{**_spoken(row), "rights": _rights(row)} for row in rows], _COLUMNS, empty="no tokens")


@token.command()
@click.argument("token_id")
@json_option
@client_options
def show(client: Client, *, token_id: str, as_json: bool) -> None:
    """Show one of your tokens, without its value."""
    found = client.get(f"{_OWN}/{quote(token_id, safe='')}")
    (show_json if as_json else show_fields)(found if as_json else _spoken(found))


@token.command()
@click.argument("token_id")
@click.option("--wait", type=click.IntRange(1, 60), metavar="SECONDS", help="Wait until all verifiers have confirmed.")
@json_option
@client_options
def delete(client: Client, *, token_id: str, wait: int | None, as_json: bool) -> None:
    """Delete a token, at once and for ever."""
    receipt = client.call("DELETE", f"{_OWN}/{quote(token_id, safe='')}", wait=wait).body
    if as_json:
        show_json({"deleted": token_id} | ({"receipt": receipt} if receipt else {}))
    else:
        click.echo(f"deleted {token_id}; every request with it is refused from now on")
        if receipt:
            click.echo(_receipt(receipt))


@token.command()
@json_option
@client_options
def verify(client: Client, *, as_json: bool) -> int:
    """Ask the server whether it accepts a token (asked for, or a line of standard input)."""
    text = ask_password("Token")
    try:
        reply = client.call("GET", "/verify", authorization=bearer(text))
    except NotAuthenticated:
        reply = None
    accepted = reply is not None and reply.status == http.HTTPStatus.OK
    verdict: dict[str, Any] = {"accepted": accepted}
    if reply is not None:
        names = ("user", "user-id", "token-id", "scopes", "expires")
        verdict |= {name: reply.headers.get(f"x-gatepass-{name}") or None for name in names}
    if as_json:
        show_json(verdict)
    else:
        show_fields(verdict)
    return DONE if accepted else FAILED


def _receipt(receipt: dict[str, Any]) -> str:
    """Say where a deletion counts by now."""
    said = f"confirmed by {receipt['confirmed']} of {receipt['of']} verifiers elsewhere"
    if receipt["confirmed"]:
        said += f", the last after {receipt['slowestMs']} ms"
    if receipt.get("leaseEnded"):
        said += f"; {receipt['leaseEnded']} without a lease, which answer nothing from memory"
    if receipt.get("unknownMs"):
        said += f"; the server started lately, so others may hold leases for {receipt['unknownMs'] / 1000:.1f} s"
    return f"{said}; everywhere within {receipt['guaranteedMs'] / 1000:g} s, whatever happens"


def _spoken(row: dict[str, Any]) -> dict[str, Any]:
    """Say in words what an empty field means."""
    words = {"expiredAt": "never", "lastUsed": "never", "allowedNetworks": "anywhere", "audience": "any service"}
    words |= {"scopes": "full access" if row["scopes"] is None else "none"}
    return {**row, **{name: row[name] or said for name, said in words.items()}}


def _rights(row: dict[str, Any]) -> str:
    """Say in a line what a token may do, from where and with whom."""
    said = "full access" if row["scopes"] is None else ", ".join(row["scopes"]) or "no scopes"
    if row["allowedNetworks"] is not None:
        said += f"; from {', '.join(row['allowedNetworks'])}"
    return said if row["audience"] is None else f"{said}; for {', '.join(row['audience'])}"
