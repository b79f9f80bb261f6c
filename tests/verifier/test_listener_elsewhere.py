"""`gatepass verifier --upstream`: the listener on another host than its server, as real processes."""

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.listener import Listener, statuses
from support.oauth import UNKNOWN, add_verifier
from support.server import EMAIL, PASSWORD, Server, gatepass, with_shortest_bound
from support.waiting import poll


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with with_shortest_bound(tmp_path / "data") as running:
        yield running


@pytest.fixture
def credential_file(server: Server, tmp_path: Path) -> Path:
    path = tmp_path / "credential"
    path.write_text(add_verifier(server, "edge")[1] + "\n")
    return path


def listener(server: Server, credential_file: Path, *flags: str) -> Listener:
    return Listener(server.data, "--upstream", server.url, "--credential-file", str(credential_file), *flags)


def test_it_answers_as_the_server_does_and_a_deletion_reaches_all_its_workers(
    server: Server, credential_file: Path
) -> None:
    with listener(server, credential_file, "--workers", "2") as edge:
        poll(lambda: edge.status("/readyz") == 200)
        # Leases that outlast what a busy machine holds up.
        server.admin("PATCH", "/v4/settings", {"verifiers.boundSeconds": 60})
        token, info = server.create_token(scopes=["orders:read"])
        for _ in range(8):
            answer = edge.ask(bearer=token)
            assert statuses(answer) == [200]
            assert f"x-gatepass-token-id: {info['tokenId']}".encode() in answer
            assert edge.status("/verify?scope=orders:write", bearer=token) == 403
        assert edge.status(bearer=UNKNOWN) == 401
        assert edge.status() == 401
        assert edge.status("/oauth2/introspect", method="POST") == 404
        path = f"/v4/apiAccessTokens/{info['tokenId']}"
        receipt = server.request("DELETE", path, basic=(EMAIL, PASSWORD), headers={"Prefer": "wait=10"}).json
        assert (receipt["confirmed"], receipt["of"]) == (2, 2)
        assert {edge.status(bearer=token) for _ in range(8)} == {401}


def test_a_look_up_that_hangs_holds_up_nobody_who_is_in_memory(server: Server, credential_file: Path) -> None:
    server.admin("PATCH", "/v4/settings", {"verifiers.boundSeconds": 60})
    with listener(server, credential_file) as edge:
        poll(lambda: edge.status("/readyz") == 200)
        token, _ = server.create_token()
        assert edge.status(bearer=token) == 200
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with edge.connect() as slow:
                slow.sendall(f"GET /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {UNKNOWN}\r\n\r\n".encode())
                assert edge.status(bearer=token) == 200
                assert select.select([slow], [], [], 0)[0] == []
                assert statuses(slow.recv(4096)) == [503]
        finally:
            os.kill(server.pid, signal.SIGCONT)


def test_without_its_server_it_is_not_ready_and_answers_503(server: Server, credential_file: Path) -> None:
    with listener(server, credential_file) as edge:
        token, _ = server.create_token()
        poll(lambda: edge.status(bearer=token) == 200)
        server.kill()
        poll(lambda: edge.status(bearer=token) == 503)
        assert edge.status("/readyz") == 503
        assert edge.status("/livez") == 200


def test_no_secret_is_in_its_command_line_environment_or_log(server: Server, credential_file: Path) -> None:
    secret = credential_file.read_text().strip()
    with listener(server, credential_file) as edge:
        poll(lambda: edge.status("/readyz") == 200)
        for process in (edge.process.pid, *edge.workers()):
            for name in ("cmdline", "environ"):
                assert secret.encode() not in Path(f"/proc/{process}/{name}").read_bytes()
    assert secret not in edge.log.read_text()
    assert secret not in server.log.read_text()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--upstream", "https://tokens.example.com"), "--upstream needs --credential-file"),
        (("--upstream", "https://x", "--credential-file", "F", "--data", "D"), "exclude each other"),
        (("--upstream", "http://tokens.example.com", "--credential-file", "F"), "is plain HTTP to another machine"),
        (("--upstream", "https://a:b@x", "--credential-file", "F"), "must be like https://tokens.example.com"),
        (("--upstream", "https://x", "--credential-file", "missing"), "cannot read 'missing'"),
    ],
)
def test_what_does_not_fit_together_is_said(tmp_path: Path, flags: tuple[str, ...], said: str) -> None:
    (tmp_path / "F").write_text("gpvf_x")
    done = gatepass("verifier", *flags, "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert done.returncode != 0
    assert said in done.stderr
    assert "a:b" not in done.stderr
