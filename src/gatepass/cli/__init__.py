"""The command line: `gatepass`."""

import sys


def main() -> None:
    """Run the command line and exit with its code (0 done, 1 refused, 2 usage, 3 unreachable, 4 no credentials)."""
    try:
        from gatepass.cli.commands import run  # noqa: PLC0415  the command line needs the server's packages
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "gatepass":
            raise
        sys.stderr.write(f"error: the package {error.name!r} is missing\nhint: pip install 'gatepass[server]'\n")
        sys.exit(1)
    sys.exit(run(sys.argv[1:]))
