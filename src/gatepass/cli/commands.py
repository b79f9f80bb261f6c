"""All commands in one group, and the one place where errors become exit codes."""

from collections.abc import Sequence

import click

import gatepass
from gatepass.cli import config, db, doctor, idp, key, serve, settings, token, user, verifier, verifiers
from gatepass.cli.output import DONE, FAILED, USAGE, exit_code, report


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(gatepass.__version__, prog_name="gatepass")
def commands() -> None:
    """Access tokens for any API.

    Start with `gatepass serve --dev`. Commands that talk to a server take its address from
    GATEPASS_URL and a token from GATEPASS_TOKEN, or ask for your e-mail address and password.
    """


for _command in (
    serve.init,
    serve.serve,
    verifier.verifier,
    token.token,
    user.user,
    verifiers.verifiers,
    settings.settings,
    key.key,
    db.db,
    idp.idp,
    config.config,
    doctor.doctor,
):
    commands.add_command(_command)


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
