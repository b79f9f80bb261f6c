"""`gatepass verifier`: the door for gateways, in processes of its own."""

import sys
from pathlib import Path

import click

from gatepass.cli.options import config_option, data_option
from gatepass.server.settings import Config, load_config

_LISTEN = "127.0.0.1:8423"


@click.command()
@data_option
@config_option
@click.option("--listen", metavar="HOST:PORT|unix:PATH", help=f"[default: {_LISTEN}; port 0 picks a free one]")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="How many processes.")
@click.option("--insecure-http", is_flag=True, help="Allow plain HTTP on a public address.")
def verifier(
    data: str | None, config_file: Path | None, listen: str | None, *, workers: int, insecure_http: bool
) -> None:
    """Answer /verify for gateways until SIGTERM, quicker than `serve` and beside it or without it.

    It speaks plain HTTP: a gateway on the same host asks it, best over a unix socket. SIGHUP reads the
    configuration anew.
    """
    from gatepass.server.log import set_up_logging  # noqa: PLC0415  only this command needs them
    from gatepass.server.verify_supervisor import run_verifier  # noqa: PLC0415

    def read_config() -> Config:
        # SECURITY: a certificate that is configured for `serve` does not make this listener speak TLS.
        flags = {"server.listen": listen or _LISTEN, "server.tls_cert": "", "server.tls_key": ""}
        flags |= {"server.public_url": "", "server.metrics_listen": "off"}
        return load_config({"store.data": data, **flags, "server.insecure_http": insecure_http}, file=config_file)

    set_up_logging(read_config().log)
    run_verifier(read_config, workers=workers, ready=_ready)


def _ready(url: str) -> None:
    click.echo(f"listening on {url}")
    sys.stdout.flush()
