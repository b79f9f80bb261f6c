"""What other processes, other machines and terminals get to see of a server or a command: no secret."""

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gatepass.cli.commands import commands
from support.server import Server, gatepass, make_installation

TELLS_DUMPABLE = """
import atexit, ctypes, sys
from gatepass.cli import main
atexit.register(lambda: print("dumpable:", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), file=sys.stderr))
main()
"""
LISTENING = "0A"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    make_installation(tmp_path / "data")
    return tmp_path / "data"


def test_a_server_leaves_no_core_file(data: Path) -> None:
    with Server(data) as server:
        assert resource.prlimit(server.pid, resource.RLIMIT_CORE) == (0, 0)


def test_no_other_process_looks_into_a_server(data: Path) -> None:
    server = Server(data)
    server.program = [sys.executable, "-c", TELLS_DUMPABLE]
    with server:
        assert Path(f"/proc/{server.pid}/environ").stat().st_uid == 0
    assert "dumpable: 0" in server.log.read_text()


@pytest.mark.parametrize(
    ("listen", "reason"),
    [
        ("unix:/tmp/metrics.sock", "must be HOST:PORT or off"),
        ("0.0.0.0:0", "'0.0.0.0:0' is reachable from other machines"),
        ("[::]:0", "'[::]:0' is reachable from other machines"),
    ],
)
def test_metrics_are_not_for_other_machines(data: Path, listen: str, reason: str) -> None:
    done = gatepass("serve", "--data", str(data), "--listen", "127.0.0.1:0", "--metrics-listen", listen)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: server.metrics_listen: {reason}")


def test_nobody_chose_an_address_and_only_this_machine_can_connect(data: Path) -> None:
    with Server(data, "--metrics-listen", "") as server:
        ports = {f"{server.port:04X}", f"{8421:04X}"}
        rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
        places = [row[1].split(":") for row in rows if row[3] == LISTENING]
        listening = {address for address, port in places if port in ports}
    assert listening == {"0100007F"}
    assert "127.0.0.1:8421" in server.log.read_text()


@pytest.mark.parametrize(
    "token", ["gpat_SECRET\r", "gpat_SECRET\nX: y", "gpat_ SECRET", "gpat_SECRET\u2028", "gpat_SECRÉT"]
)
def test_a_token_that_cannot_be_sent_is_not_shown(token: str) -> None:
    env = {"GATEPASS_URL": "http://127.0.0.1:9", "GATEPASS_TOKEN": token}
    for flags in ([], ["--json"]):
        done = gatepass("token", "list", *flags, env=env)
        assert (done.returncode, done.stdout) == (4, "")
        assert "SECR" not in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "url", ["http://user:SECRET@127.0.0.1:9", "http://SECRET@127.0.0.1:9", "http://127.0.0.1:9/?key=SECRET", "SECRET"]
)
def test_an_address_with_a_password_in_it_is_not_shown(url: str) -> None:
    done = gatepass("token", "list", "--url", url, env={"GATEPASS_TOKEN": "gpat_x"})
    assert done.returncode == 2
    assert "SECRET" not in done.stdout + done.stderr


def parameters(group: click.Group) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from parameters(command)
        else:
            yield from (f"{command.name} {each.name}" for each in command.params)


def test_no_secret_can_be_given_on_the_command_line() -> None:
    """Everybody on a machine sees its processes' arguments."""
    secrets = [each for each in parameters(commands) if each.endswith(("password", "token", "secret", "link"))]
    assert secrets == []
    assert "init password_file" in set(parameters(commands))


def test_a_command_that_has_a_token_and_a_password_shows_none_to_the_machine(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with subprocess.Popen(
            [sys.executable, "-m", "gatepass", "token", "list", "--email", "a@example.com", "--url", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "GATEPASS_TOKEN": "TOKENSECRET"},
        ) as process:
            process.stdin.write(b"PASSWORDSECRET\n")
            process.stdin.flush()
            connection, _ = silent.accept()
            connection.recv(4096)  # by now it holds what it was given
            shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            process.kill()
            connection.close()
    assert b"token" in shown
    assert b"SECRET" not in shown
