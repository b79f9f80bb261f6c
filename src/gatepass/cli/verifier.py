"""`gatepass verifier`: the door for gateways, in processes of its own."""

import sys

import click

from gatepass.cli.options import Place, place_options
from gatepass.errors import BadConfiguration
from gatepass.server.settings import Config, public_url_of

_LISTEN = "127.0.0.1:8423"


@click.command()
@place_options
@click.option("--listen", metavar="HOST:PORT|unix:PATH", help=f"[default: {_LISTEN}; port 0 picks a free one]")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="How many processes.")
@click.option("--insecure-http", is_flag=True, help="Allow plain HTTP on a public address.")
def verifier(place: Place, listen: str | None, *, workers: int, insecure_http: bool) -> None:
    """Answer /verify for gateways until SIGTERM, quicker than `serve` and beside it or without it.

    It speaks plain HTTP: a gateway on the same host asks it, best over a unix socket. SIGHUP reads the
    configuration anew.
    """
    from gatepass.server.log import set_up_logging  # noqa: PLC0415  only this command needs them
    from gatepass.server.verify_supervisor import run_verifier  # noqa: PLC0415

    def read_config() -> tuple[Config, str]:
        # SECURITY: a certificate that is configured for `serve` does not make this listener speak TLS.
        flags = {"server.listen": listen or _LISTEN, "server.tls_cert": "", "server.tls_key": ""}
        flags |= {"server.public_url": "", "server.metrics_listen": "off"}
        served = place.load()
        config = place.load({**flags, "server.insecure_http": insecure_http})
        if config.store.database:
            raise BadConfiguration(
                "store.database",
                "is PostgreSQL, and `gatepass verifier` works beside the SQLite file only",
                hint="let the gateway ask `gatepass serve`",
            )
        return config, public_url_of(served, served.server.listen)

    set_up_logging(read_config()[0].log)
    run_verifier(read_config, workers=workers, ready=_ready)


def _ready(url: str) -> None:
    click.echo(f"listening on {url}")
    sys.stdout.flush()
