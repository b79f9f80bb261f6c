"""`/verify` for gateways: 200 with identity headers, 401, 503 when it cannot be known; and health."""

import os
import socket
import subprocess
import sys

import pytest

from support.server import EMAIL, PASSWORD, Server, environment, make_installation
from support.waiting import poll

IDENTITY = {"user", "user-id", "token-id", "scopes", "expires", "assertion"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "TRACE"])
@pytest.mark.parametrize("path", ["/verify", "/verify/", "/verify/v3/jobs", "/verify/a/b?c=d&scope=x:y"])
def test_any_method_and_any_path_below_is_answered(server: Server, token: str, method: str, path: str) -> None:
    assert server.request(method, path, bearer=token).status == 200
    assert server.request(method, path).status == 401


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.create_token()[0]


def test_a_200_has_every_identity_header_and_no_body(server: Server) -> None:
    value, info = server.create_token(lifetimeSeconds=60)
    reply = server.request("GET", "/verify", bearer=value)
    assert (reply.body, reply.headers["content-length"], reply.headers["cache-control"]) == (b"", "0", "no-store")
    found = {name: reply.headers[f"x-gatepass-{name}"] for name in IDENTITY}
    assert found == {
        "user": EMAIL,
        "user-id": server.admin("GET", "/v4/people/current").json["id"],
        "token-id": info["tokenId"],
        "scopes": "*",
        "expires": info["expiredAt"],
        "assertion": "",
    }


def test_empty_identity_headers_are_sent_too(server: Server) -> None:
    value, _ = server.create_token(lifetimeSeconds=-1)
    reply = server.request("GET", "/verify", bearer=value)
    assert (reply.headers["x-gatepass-expires"], reply.headers["x-gatepass-assertion"]) == ("", "")


def test_a_401_is_empty_and_names_nobody(server: Server) -> None:
    reply = server.request("GET", "/verify", bearer="nonsense")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (401, b"", "0")
    assert not [name for name in reply.headers if name.lower().startswith("x-gatepass")]


def test_a_password_is_no_token_here(server: Server) -> None:
    assert server.request("GET", "/verify", basic=(EMAIL, PASSWORD)).status == 401


def test_a_damaged_database_is_503_never_200_or_401(own_server: Server) -> None:
    value, _ = own_server.create_token()
    own_server.stop()
    own_server.start()
    database = own_server.data / "gatepass.db"
    database.write_bytes(os.urandom(database.stat().st_size))
    for bearer in (value, value[:-1] + "0"):
        statuses = {own_server.request("GET", "/verify", bearer=value).status for _ in range(5)}
        assert statuses == {503}
        del bearer
    reply = own_server.request("GET", "/v4/people/current", bearer=value)
    assert (reply.status, reply.error) == (503, "ServiceUnavailableException")
    assert reply.headers["retry-after"]
    assert own_server.admin("GET", "/v4/people/current").status == 503
    assert own_server.request("GET", "/readyz").status == 503
    assert own_server.request("GET", "/livez").status == 200
    assert own_server.request("GET", "/sign-in").status == 200


def test_a_missing_key_is_503_for_tokens_kept_under_it(own_server: Server) -> None:
    value, _ = own_server.create_token()
    own_server.stop()
    keys = own_server.data / "gatepass.keys"
    content = keys.read_text()
    keys.write_text(content.replace('"1":', '"7":').replace('"current": 1', '"current": 7'))
    own_server.start()
    assert own_server.request("GET", "/verify", bearer=value).status == 503
    assert own_server.request("GET", "/v4/people/current", bearer=value).status == 503
    keys.write_text(content)
    assert poll(lambda: own_server.request("GET", "/verify", bearer=value).status == 200)


def test_health_needs_nobody_to_sign_in(server: Server) -> None:
    for path in ("/livez", "/readyz", "/healthz"):
        reply = server.request("GET", path)
        assert (reply.status, reply.json) == (200, {"status": "ok"})


def test_metrics_are_on_a_listener_of_their_own_and_hold_no_secret(tmp_path) -> None:
    make_installation(tmp_path / "data")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Server(tmp_path / "data", "--metrics-listen", f"127.0.0.1:{port}") as server:
        value, _ = server.create_token(description="chosen-text")
        server.request("GET", "/verify", bearer=value)
        server.request("GET", "/verify/secret-path", bearer="nonsense")
        server.request("EVIL", "/v4/<script>", headers={"X-Request-Id": "chosen"})
        text = server.metrics(f"http://127.0.0.1:{port}/metrics")
        assert server.request("GET", "/metrics").status == 404
    assert 'gatepass_verifications_total{door="verify",result="accepted"} 1.0' in text
    assert 'gatepass_verifications_total{door="verify",result="malformed"} 1.0' in text
    assert 'gatepass_sign_ins_total{door="basic",result="ok"} 1.0' in text
    assert 'route="/v4/apiAccessTokens"' in text
    for chosen in (value, value[:30], "secret-path", "script", "EVIL", "chosen", EMAIL):
        assert chosen not in text


def test_a_taken_default_metrics_port_is_a_warning(tmp_path) -> None:
    make_installation(tmp_path / "data")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8421))
            taken.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        command = [
            sys.executable,
            "-m",
            "gatepass",
            "serve",
            "--data",
            str(tmp_path / "data"),
            "--listen",
            "127.0.0.1:0",
        ]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True
        ) as process:
            assert process.stdout.readline().startswith("listening on ")
            process.terminate()
            assert "serving without metrics" in process.stderr.read()
