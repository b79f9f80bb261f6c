"""`gatepass serve` as a process: where it listens, how it ends, and the trial mode."""

import os
import pty
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from support.certificates import make_certificate
from support.server import EMAIL, PASSWORD, Server, environment, gatepass, make_installation
from support.waiting import poll


@pytest.fixture
def data(tmp_path: Path) -> Path:
    make_installation(tmp_path / "data")
    return tmp_path / "data"


class Trial:
    """`gatepass serve --dev`, read until it is ready."""

    def __init__(self, folder: Path, *flags: str) -> None:
        command = [
            sys.executable,
            "-m",
            "gatepass",
            "serve",
            "--dev",
            "--listen",
            "127.0.0.1:0",
            "--metrics-listen",
            "off",
        ]
        self.process = subprocess.Popen(
            [*command, *flags],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            text=True,
        )
        self.lines: list[str] = []
        stuck = threading.Timer(20, self.process.kill)
        stuck.start()
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("listening on "):
                break
        stuck.cancel()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def password(self) -> str:
        return re.search(r"password\s+(\S+)", self.text)[1]

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0
        self.process.stdout.close()


def test_the_trial_prints_what_a_newcomer_needs(tmp_path: Path) -> None:
    with Trial(tmp_path) as trial:
        assert "TRIAL MODE" in trial.text
        assert "admin@localhost" in trial.text
        assert (tmp_path / "gatepass-data" / "gatepass.db").is_file()
        assert trial.lines[-1].startswith("listening on http://127.0.0.1:")


def test_the_two_lines_of_the_trial_work_when_pasted(tmp_path: Path) -> None:
    with Trial(tmp_path) as trial:
        lines = [line for line in trial.lines if "curl " in line]
        assert len(lines) == 2
        done = subprocess.run(
            ["bash", "-eu", "-c", "\n".join(lines)], capture_output=True, text=True, check=True, timeout=30
        )
    assert '"email":"admin@localhost"' in done.stdout


def test_each_start_of_the_trial_has_a_new_password_and_keeps_the_tokens(tmp_path: Path) -> None:
    with Trial(tmp_path) as trial:
        first = trial.password
        create = next(line for line in trial.lines if line.startswith("TOKEN="))
        token = subprocess.run(
            ["bash", "-c", f"{create}; echo $TOKEN"], capture_output=True, text=True, check=True
        ).stdout.strip()
    with Trial(tmp_path) as trial:
        assert trial.password != first
        url = trial.lines[-1].removeprefix("listening on ")
        for given, expected in (
            (f"-u admin@localhost:{first}", "401"),
            (f"-u admin@localhost:{trial.password}", "200"),
            (f"-H 'Authorization: Bearer {token}'", "200"),
        ):
            line = f"curl -s -o /dev/null -w '%{{http_code}}' {given} {url}/v4/people/current"
            assert subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout == expected


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(data: Path, number: signal.Signals) -> None:
    server = Server(data).start()
    assert server._end(number) == 0
    assert "Traceback" not in server.log.read_text()
    assert not list(data.glob("*-wal"))


def test_port_0_picks_one_and_prints_it(data: Path) -> None:
    with Server(data) as server:
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", server.url)


def test_a_second_server_for_a_directory_is_refused(data: Path) -> None:
    with Server(data):
        done = gatepass("serve", "--data", str(data), "--listen", "127.0.0.1:0")
        assert (done.returncode, done.stdout) == (1, "")
        assert "another `gatepass serve`" in done.stderr
    with Server(data) as again:
        assert again.request("GET", "/livez").status == 200


def test_a_killed_server_leaves_no_lock(data: Path) -> None:
    Server(data).start().kill()
    with Server(data) as again:
        assert again.request("GET", "/readyz").status == 200


def test_a_taken_port_is_said(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = gatepass("serve", "--data", str(data), "--listen", address)
    assert done.returncode == 1
    assert f"cannot listen on {address}: Address already in use" in done.stderr


def test_it_listens_on_a_unix_socket_for_this_user(data: Path) -> None:
    path = data.parent / "gatepass.sock"
    for _ in range(2):  # the second time over the file that a killed server left
        server = Server(data, listen=f"unix:{path}").start()
        assert server.url == f"unix:{path}"
        assert path.stat().st_mode & 0o007 == 0
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        server.kill()
    with Server(data, listen=f"unix:{path}"):
        pass
    assert not path.exists()


def test_it_serves_tls_by_itself(data: Path) -> None:
    cert, key = make_certificate(data.parent, "server", names="DNS:localhost,IP:127.0.0.1")
    with Server(data, "--tls-cert", str(cert), "--tls-key", str(key), listen="0.0.0.0:0") as server:
        assert server.url.startswith("https://0.0.0.0:")
        url = server.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        done = subprocess.run(
            ["curl", "-s", "--cacert", str(cert), "-u", f"{EMAIL}:{PASSWORD}", f"{url}/v4/people/current", "-D", "-"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert f'"email":"{EMAIL}"' in done.stdout
        assert "strict-transport-security" in done.stdout
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(cert)
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with (
            socket.create_connection(("127.0.0.1", server.port)) as plain,
            old.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            assert secured.version() == "TLSv1.2"


@pytest.mark.parametrize(
    ("flags", "env"),
    [
        (["--insecure-http"], {}),
        (["--public-url", "https://tokens.example.com"], {}),
        ([], {"GATEPASS_SERVER__PUBLIC_URL": "https://tokens.example.com"}),
    ],
)
def test_a_public_address_is_served_when_somebody_said_so(data: Path, flags: list[str], env: dict[str, str]) -> None:
    with Server(data, *flags, env=env, listen="0.0.0.0:0") as server:
        assert server.request("GET", "/livez").status == 200


def test_configuration_comes_from_flags_environment_files_and_defaults_in_this_order(data: Path) -> None:
    (data / "gatepass.toml").write_text(
        '[log]\nlevel = "error"\nformat = "text"\n[sign_in]\nsite_words = ["one", "two"]\n'
    )
    secret = data.parent / "format"
    secret.write_text("json\n")
    env = {"GATEPASS_LOG__LEVEL": "warning", "GATEPASS_LOG__FORMAT_FILE": str(secret), "GATEPASS_OTHER": "ignored"}
    done = gatepass("config", "show", "--origin", "--data", str(data), env=env)
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()[1:]}
    assert rows["store.data"][-1] == "flag"
    assert rows["log.level"] == ["warning", "GATEPASS_LOG__LEVEL"]
    assert rows["log.format"] == ["json", "GATEPASS_LOG__FORMAT_FILE"]
    assert rows["sign_in.site_words"] == ["one,", "two", str(data / "gatepass.toml")]
    assert rows["server.listen"] == ["127.0.0.1:8420", "default"]
    both = gatepass("config", "show", "--data", str(data), env={**env, "GATEPASS_LOG__FORMAT": "text"})
    assert re.search(r"log\.format\s+text", both.stdout)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('[log]\nlevle = "x"\n', "log.levle"),
        ("[nothing]\na = 1\n", "nothing.a"),
        ("a = 1\n", "a"),
        ("not toml", "gatepass.toml"),
        ('[server]\ninsecure_http = "perhaps"\n', "server.insecure_http"),
    ],
)
def test_a_configuration_file_that_cannot_be_is_named(data: Path, content: str, named: str) -> None:
    (data / "gatepass.toml").write_text(content)
    done = gatepass("config", "show", "--data", str(data))
    assert done.returncode == 1
    assert named in done.stderr


def test_a_word_of_the_site_is_no_password(data: Path) -> None:
    with Server(data, env={"GATEPASS_SIGN_IN__SITE_WORDS": "Example-Corporation-Portal"}) as server:
        body = {"email": "a@example.com", "password": "example-corporation-PORTAL"}
        assert server.admin("POST", "/v4/people", body).status == 400


def test_a_password_typed_at_a_terminal_is_not_shown(data: Path) -> None:
    with Server(data) as server:
        master, slave = pty.openpty()
        command = [sys.executable, "-m", "gatepass", "token", "create", "--lifetime", "1h", "--email", EMAIL]
        process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment({"GATEPASS_URL": server.url}),
            start_new_session=True,
        )
        os.close(slave)
        seen = b""

        def read() -> bytes:
            nonlocal seen
            seen += os.read(master, 4096)
            return seen

        poll(lambda: b"Password:" in read())
        assert PASSWORD not in Path(f"/proc/{process.pid}/cmdline").read_text()
        os.write(master, f"{PASSWORD}\n".encode())
        poll(lambda: b"gpat_" in read())
        process.wait(timeout=20)
        os.close(master)
    assert PASSWORD.encode() not in seen


def test_a_backup_verifies_with_the_same_key_file(data: Path, tmp_path: Path) -> None:
    with Server(data) as server:
        value, _ = server.create_token(lifetimeSeconds=-1)
        copy = tmp_path / "restored"
        copy.mkdir(mode=0o700)
        assert gatepass("db", "backup", str(copy / "gatepass.db"), "--data", str(data)).returncode == 0
    for name in ("gatepass.keys", "gatepass.journal"):
        (copy / name).touch(0o600)
        (copy / name).write_bytes((data / name).read_bytes())
    with Server(copy) as restored:
        assert restored.request("GET", "/verify", bearer=value).status == 200


def test_a_damaged_database_is_said_by_check_and_refused_by_serve(data: Path) -> None:
    database = data / "gatepass.db"
    content = bytearray(database.read_bytes())
    content[100:] = os.urandom(len(content) - 100)
    database.write_bytes(bytes(content))
    for command in (("db", "check"), ("serve", "--listen", "127.0.0.1:0")):
        done = gatepass(*command, "--data", str(data))
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("error: ")


def test_the_listener_keeps_no_database_in_the_memory_of_its_parent() -> None:
    """A command is imported when it is asked for, with what it needs and no other does."""
    code = (
        "import sys; from gatepass.cli.commands import commands; import gatepass.server.verify_supervisor; "
        "found = commands.get_command(None, 'verifier'); "
        "print(found.name, [n for n in ('apsw', 'psycopg', 'starlette', 'ldap3') if n in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "verifier []\n"
    )


def test_help_comes_quickly_enough_to_be_read() -> None:
    """The heavy packages of tables and progress are loaded by the commands that need them."""
    code = "import sys; from gatepass.cli import commands; print([n for n in ('rich', 'starlette', 'uvicorn', 'jinja2') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
