"""`gatepass verifier`: the door for gateways, in processes of its own."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gatepass.cli.options import Place, place_options
from gatepass.errors import BadConfiguration
from gatepass.server.settings import Config, public_url_of

_LISTEN = "127.0.0.1:8423"


def upstream_options(function: Any) -> Any:
    """Add the options that say which server is asked, in place of --data, and how."""
    for option in (
        click.option("--ca-file", type=click.Path(), help="Certificates (PEM) to trust --upstream by."),
        click.option("--credential-file", metavar="F", help="File with the credential for --upstream."),
        click.option("--upstream", metavar="URL", help="The server to go by, in place of --data."),
    ):
        function = option(function)
    return function


@click.command()
@place_options
@click.option("--listen", metavar="HOST:PORT|unix:PATH", help=f"[default: {_LISTEN}; port 0 picks a free one]")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="How many processes.")
@click.option("--insecure-http", is_flag=True, help="Allow plain HTTP on a public address, and to one.")
@upstream_options
@click.option("--grace", type=click.FloatRange(0, 3600), default=0, help="Seconds beyond the bound to ask for.")
def verifier(place: Place, listen: str | None, *, workers: int, insecure_http: bool, **elsewhere: Any) -> None:
    """Answer /verify for gateways until SIGTERM, quicker than `serve` and beside it or without it.

    It speaks plain HTTP: a gateway on the same host asks it, best over a unix socket. SIGHUP reads the
    configuration anew, and the file with the credential.
    """
    from gatepass.server.log import set_up_logging  # noqa: PLC0415  only this command needs them
    from gatepass.server.verify_supervisor import run_verifier  # noqa: PLC0415

    def read_config() -> tuple[Config, Mapping[str, Any]]:
        # SECURITY: a certificate that is configured for `serve` does not make this listener speak TLS.
        tls = {f"server.tls_{name}": "" for name in ("cert", "key", "client_ca")}
        flags = {"server.listen": listen or _LISTEN, "server.public_url": "", "server.metrics_listen": "off", **tls}
        served, config = place.load(), place.load({**flags, "server.insecure_http": insecure_http})
        if elsewhere["upstream"]:
            return config, read_elsewhere(insecure_http=insecure_http, **elsewhere)
        issuer, store = public_url_of(served, served.server.listen), config.store
        return config, {"data": store.data, "database": store.database, "journal": store.journal, "issuer": issuer}

    require_fitting(place, elsewhere)
    set_up_logging(place.load().log)
    run_verifier(read_config, workers=workers, ready=_ready)


def require_fitting(place: Place, elsewhere: Mapping[str, Any]) -> None:
    """Raise UsageError for options that do not go together."""
    for option, given in {"--data": place.data, "--database": place.database}.items():
        if elsewhere["upstream"] and given is not None:
            raise click.UsageError(f"{option} and --upstream exclude each other")
    if bool(elsewhere["upstream"]) != bool(elsewhere["credential_file"]):
        raise click.UsageError("--upstream needs --credential-file, and the other way round")


def read_elsewhere(*, upstream: str, credential_file: str, **more: Any) -> Mapping[str, Any]:
    """Return the options with the credential in place of its file. Raises BadConfiguration."""
    try:
        credential = Path(credential_file).read_text("ascii").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not ASCII"
        raise BadConfiguration("--credential-file", f"cannot read {credential_file!r}: {reason}") from None
    return {"upstream": upstream, "credential": credential, **more}


def _ready(url: str) -> None:
    click.echo(f"listening on {url}")
    sys.stdout.flush()
