"""`gatepass init` and `gatepass serve`."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gatepass.cli.client import read_password_file
from gatepass.cli.options import Place, place_options
from gatepass.cli.output import json_option, show_json
from gatepass.errors import BadConfiguration, NotFound
from gatepass.model.actor import CONSOLE
from gatepass.model.origin import is_loopback
from gatepass.model.secret import Secret, generate_password
from gatepass.server.installation import create_installation, exists, journal_of, open_deps, serve_lock
from gatepass.server.settings import Config, require_way_in, split_listen
from gatepass.services.change_settings import change_settings
from gatepass.services.recover_user import recover_user

DEV_EMAIL = "admin@localhost"


@click.command()
@place_options
@click.option("--email", required=True, help="E-mail address of the first administrator.")
@click.option("--password-file", required=True, metavar="F", help="File with the password; - is standard input.")
@click.option("--enable-tokens", is_flag=True, help="Switch the token feature on.")
@json_option
def init(place: Place, email: str, password_file: str, *, enable_tokens: bool, as_json: bool) -> None:
    """Make an installation: database, key file and the first administrator."""
    config = place.load()
    directory = Path(config.store.data)
    password = read_password_file(password_file)
    create_installation(
        directory,
        config.sign_in,
        email=email,
        password=password,
        enable_tokens=enable_tokens,
        journal=journal_of(config.store, directory),
        database=config.store.database,
    )
    if as_json:
        show_json({"data": str(directory), "email": email, "tokensEnabled": enable_tokens})
        return
    click.echo(f"made {directory} with the administrator {email}")
    if not config.sign_in.local:
        click.echo("the password counts for an hour, because sign_in.local is off", err=True)
    click.echo(f"next: gatepass serve --data {directory}", err=True)


@click.command()
@place_options
@click.option("--listen", metavar="HOST:PORT|unix:PATH", help="[default: 127.0.0.1:8420; port 0 picks a free one]")
@click.option("--metrics-listen", metavar="HOST:PORT|off", help="[default: 127.0.0.1:8421]")
@click.option("--public-url", help="What people type to get here; links and cookies go by it.")
@click.option("--tls-cert", type=click.Path(), help="Certificate chain (PEM); with --tls-key serves TLS.")
@click.option("--tls-key", type=click.Path(), help="Private key (PEM).")
@click.option(
    "--tls-client-ca", type=click.Path(), help="Serve only clients with a certificate of these authorities (PEM)."
)
@click.option("--insecure-http", is_flag=True, default=None, help="Allow plain HTTP on a public address.")
@click.option("--dev", is_flag=True, help="For trials: makes what is missing, sets and prints a new password.")
def serve(place: Place, *, dev: bool, **flags: Any) -> None:
    """Serve REST, pages and /verify until SIGTERM."""
    # Only this command needs the web server's packages; the others start quicker without them.
    from gatepass.server.log import set_up_logging  # noqa: PLC0415
    from gatepass.server.metrics import Metrics  # noqa: PLC0415
    from gatepass.server.run import run_server  # noqa: PLC0415

    given = {f"server.{name}": value for name, value in flags.items()}
    config = place.load(given, with_providers=True)
    require_way_in(config)
    trial_log = dev and config.origins["log.format"] == "default"
    set_up_logging(replace(config.log, format="text") if trial_log else config.log)
    directory = Path(config.store.data)
    password, is_new = _prepare_trial(config, directory) if dev else (None, False)
    metrics = Metrics()
    deps = open_deps(directory, config, observer=metrics, follows=True)
    try:
        with serve_lock(directory):
            if password is not None and not is_new:
                recover_user(deps, DEV_EMAIL, password)
                change_settings(deps, CONSOLE, {"apiAccessTokens.enabled": True})
            run_server(deps, config, metrics, ready=lambda url: _ready(url, password))
    finally:
        deps.store.close()


def _prepare_trial(config: Config, directory: Path) -> tuple[Secret, bool]:
    """Make a trial installation if there is none; return its password, and whether it is new."""
    host, _ = split_listen(config.server.listen, key="server.listen")
    if host and not is_loopback(host):
        raise BadConfiguration(
            "--dev", f"is for trials on this machine, not for {config.server.listen}", hint="gatepass init, then serve"
        )
    password = generate_password()
    if not exists(directory):
        create_installation(
            directory,
            config.sign_in,
            email=DEV_EMAIL,
            password=password,
            enable_tokens=True,
            journal=journal_of(config.store, directory),
            database=config.store.database,
        )
        return password, True
    deps = open_deps(directory, config)
    try:
        with deps.store.read() as tx:
            if tx.users.find_by_email(DEV_EMAIL) is None:
                raise NotFound(f"{str(directory)!r} is not a trial: it has no {DEV_EMAIL}", hint="leave out --dev")
    finally:
        deps.store.close()
    return password, False


def _ready(url: str, password: Secret | None) -> None:
    if password is not None:
        _show_trial(url, password)
    click.echo(f"listening on {url}")
    sys.stdout.flush()


def _show_trial(url: str, password: Secret) -> None:
    """Print what a newcomer needs. The password is for this start only, and shown on purpose."""
    body = '{"lifetimeSeconds":86400,"description":"my first token"}'
    create = (
        f"TOKEN=$(curl -s -u '{DEV_EMAIL}:{password.reveal()}' -H 'Content-Type: application/json'"
        f" -d '{body}' {url}/v4/apiAccessTokens"
        ' | sed \'s/.*"tokenValue":"\\([^"]*\\)".*/\\1/\')'
    )
    use = f'curl -s -H "Authorization: Bearer $TOKEN" {url}/v4/people/current'
    click.echo(
        f"""
  {click.style("TRIAL MODE: for this machine only, never for real tokens.", fg="yellow", bold=True)}

  Sign in at   {url}
  as           {DEV_EMAIL}
  password     {password.reveal()}   (a new one at each start)

  Create a token, then use it:

{create}
{use}
"""
    )
