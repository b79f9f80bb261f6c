"""Options that several commands share."""

from pathlib import Path

import click

data_option = click.option("--data", metavar="DIR", help="Where everything is kept. [default: gatepass-data]")
config_option = click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="Configuration file. [default: DIR/gatepass.toml]"
)
