"""All commands in one group, and the one place where errors become exit codes."""

from collections.abc import Sequence
from importlib import import_module

import click

import gatepass
from gatepass.cli.output import DONE, FAILED, USAGE, exit_code, report

_MODULES = {
    "init": "serve",
    "serve": "serve",
    "verifier": "verifier",
    "token": "token",
    "user": "user",
    "verifiers": "verifiers",
    "settings": "settings",
    "key": "key",
    "db": "db",
    "idp": "idp",
    "config": "config",
    "doctor": "doctor",
}
"""The module of each command, which is named as the command is."""


class _Commands(click.Group):
    """Imports a command when it is asked for: none has to wait for what the others need, or keep it in memory."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        module = _MODULES.get(cmd_name)
        return None if module is None else getattr(import_module(f"gatepass.cli.{module}"), cmd_name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(gatepass.__version__, prog_name="gatepass")
def commands() -> None:
    """Access tokens for any API.

    Start with `gatepass serve --dev`. Commands that talk to a server take its address from
    GATEPASS_URL and a token from GATEPASS_TOKEN, or ask for your e-mail address and password.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    as_json = "--json" in arguments
    try:
        code = commands.main(list(arguments), prog_name="gatepass", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("aborted", err=True)
        return FAILED
    except click.ClickException as error:
        error.show()
        return USAGE
    except Exception as error:  # noqa: BLE001  a traceback helps nobody at a terminal; --debug does not exist
        report(error, as_json=as_json)
        return exit_code(error)
    return code if isinstance(code, int) else DONE
