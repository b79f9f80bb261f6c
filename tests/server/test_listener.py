"""`gatepass verifier` as a real process: what it answers, how it ends, reloads and survives its workers."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.listener import Listener, read_all, statuses
from support.server import Server, environment, gatepass, make_installation
from support.waiting import poll

GOOD = "GET /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n"


@pytest.fixture(scope="module")
def tokens(server: Server) -> dict[str, str]:
    """Text that is a good token, and such that is none."""
    good, _ = server.create_token()
    lasting, _ = server.create_token(lifetimeSeconds=-1)
    deleted, info = server.create_token()
    assert server.admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}").status == 204
    damaged = good[:-1] + ("0" if good[-1] != "0" else "1")
    return {"full": good, "lasting": lasting, "deleted": deleted, "damaged": damaged, "empty": "", "text": "no"}


@pytest.fixture(scope="module")
def listener(server: Server) -> Iterator[Listener]:
    with Listener(server.data) as running:
        yield running


@pytest.fixture
def token(tokens: dict[str, str]) -> str:
    return tokens["full"]


def lines(answer: bytes) -> list[str]:
    """Return status line and header lines of one answer, without what differs between two."""
    kept = answer.decode().rstrip().split("\r\n")
    return sorted(line.strip() for line in kept if not re.match("x-request-id: [0-9a-f]{12}|date: ", line))


QUERIES = [
    "", "?", "?scope=", "?scope=orders:read", "?scope=orders:write", "?scope=orders:read+mail:send", "?scope=mail:a&scope=x:y",
    "?scope=*:*", "?scope=NONE", "?scope=%ff", "?audience=shop", "?audience=other", "?audience=a&audience=b", "?other=1",
]  # fmt: skip
HEADERS = [
    "Authorization: Bearer {}\r\n",
    "authorization: bEARER {}\r\n",
    "Authorization: Bearer  {}\r\n",
    "Authorization: Bearer\t{}\r\n",
    "Authorization: Token {}\r\n",
    "Authorization: {}\r\n",
    "Authorization: Basic dTpw\r\n",
    "Authorization: Bearer {}\r\nAuthorization: Bearer {}\r\n",
    "Cookie: gatepass={}\r\n",
    "Authorization: Bearer {}\r\nX-Request-Id: chosen-1\r\n",
    "Authorization: Bearer {}\r\nX-Request-Id: not chosen\r\n",
    "Authorization: Bearer {}\r\nX-Forwarded-For: 203.0.113.7\r\n",
]


@pytest.mark.parametrize("path", ["/verify", "/verify/", "/verify/a/b"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PROPFIND"])
def test_both_doors_answer_the_same(
    server: Server, listener: Listener, tokens: dict[str, str], path: str, method: str
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as one, listener.connect() as two:
        for name, token in tokens.items():
            for query in QUERIES:
                for header in HEADERS if not query else HEADERS[:1]:
                    sent = f"{method} {path}{query} HTTP/1.1\r\nHost: x\r\n{header.replace('{}', token)}\r\n".encode()
                    answers = []
                    for connection in (one, two):
                        connection.sendall(sent)
                        answers.append(connection.recv(65_536))
                    assert lines(answers[0]) == lines(answers[1]), (name, sent)


def test_a_200_has_every_identity_header_once_and_no_body(listener: Listener, token: str) -> None:
    answer = listener.ask(bearer=token).decode()
    for name in ("user", "user-id", "token-id", "scopes", "expires", "assertion"):
        assert len(re.findall(rf"\r\nx-gatepass-{name}: ", answer)) == 1
    assert answer.count("content-length: 0\r\n") == answer.count("cache-control: no-store\r\n") == 1
    assert answer.endswith("\r\n\r\n")


def test_a_given_request_id_is_kept_and_others_are_different(listener: Listener, token: str) -> None:
    assert b"x-request-id: mine.1\r\n" in listener.ask(bearer=token, extra="X-Request-Id: mine.1\r\n")
    assert b"x-request-id: mine.1\r\n" in listener.ask("/nothing", extra="X-Request-Id: mine.1\r\n")
    with listener.connect() as connection:
        connection.sendall(GOOD.format(token).encode() * 100)
        connection.shutdown(socket.SHUT_WR)
        found = re.findall(rb"x-request-id: ([0-9a-f]{12}-[0-9]+)\r\n", read_all(connection))
    assert len(set(found)) == 100


def test_a_token_deleted_in_the_server_is_refused_by_every_worker_at_once(own_server: Server) -> None:
    value, info = own_server.create_token()
    with Listener(own_server.data, "--workers", "2") as listener:
        for _ in range(20):
            assert listener.status(bearer=value) == 200
        assert own_server.admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}").status == 204
        assert {listener.status(bearer=value) for _ in range(20)} == {401}


def test_it_works_without_a_server_and_expiry_is_kept(tmp_path: Path) -> None:
    make_installation(tmp_path / "data")
    with Server(tmp_path / "data") as server:
        value, _ = server.create_token(lifetimeSeconds=10)
        lasting, _ = server.create_token()
    with Listener(tmp_path / "data") as listener:
        assert listener.status(bearer=value) == 200
        assert poll(lambda: listener.status(bearer=value) == 401, seconds=20)
        assert listener.status(bearer=lasting) == 200


def test_health_and_routes(listener: Listener) -> None:
    assert listener.status("/livez") == listener.status("/readyz") == 200
    assert listener.status("/livez", method="POST") == 405
    assert b"allow: GET, HEAD\r\n" in listener.ask("/readyz", method="DELETE")
    assert {listener.status(path) for path in ("/", "/healthz", "/metrics", "/openapi.json", "/oauth2/revoke")} == {404}


def test_a_damaged_database_is_503_never_200_or_401(own_server: Server) -> None:
    value, _ = own_server.create_token()
    own_server.stop()
    with Listener(own_server.data) as listener:
        database = own_server.data / "gatepass.db"
        database.write_bytes(os.urandom(database.stat().st_size))
        for bearer in (value, value):
            answer = listener.ask(bearer=bearer)
            assert statuses(answer) == [503]
            assert b"retry-after: 1\r\n" in answer
        assert listener.status("/readyz") == 503
        assert listener.status("/livez") == 200
        assert listener.status(bearer="nonsense") == 401
        assert "requests answered with 503" in listener.log.read_text()
        assert value not in listener.log.read_text()


def test_one_connection_takes_many_requests(listener: Listener, token: str) -> None:
    with listener.connect() as connection:
        for _ in range(200):
            connection.sendall(GOOD.format(token).encode())
            assert statuses(connection.recv(4096)) == [200]


def test_a_client_that_takes_no_answers_is_read_no_further(listener: Listener) -> None:
    request = b"GET /verify HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
    with listener.connect() as connection:
        connection.settimeout(1)
        sent = 0
        try:
            for _ in range(2000):
                sent += connection.send(request)
        except TimeoutError:
            pass
        assert sent < 20 * 2**20
        # What was taken in is answered when the client begins to read.
        connection.settimeout(15)
        connection.shutdown(socket.SHUT_WR)
        assert set(statuses(read_all(connection))) == {401}
    assert listener.status("/livez") == 200


def test_a_thousand_connections_a_worker_and_no_more(server: Server, token: str) -> None:
    with Listener(server.data) as listener, ExitStack() as stack:
        for _ in range(1000):
            # One that has had an answer may stay for long.
            stack.enter_context(listener.connect()).sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        crowded = listener.ask(bearer=token)
        assert statuses(crowded) == [503]
        assert b"connection: close\r\n" in crowded
        stack.close()
        assert poll(lambda: listener.status(bearer=token) == 200, seconds=10)


# How it runs.


def test_a_term_answers_what_has_begun_and_ends_with_0(server: Server, token: str) -> None:
    head, rest = GOOD.format(token).encode()[:40], GOOD.format(token).encode()[40:]
    with Listener(server.data, "--workers", "2") as listener:
        with listener.connect() as idle, listener.connect() as begun:
            idle.sendall(GOOD.format(token).encode())
            assert statuses(idle.recv(4096)) == [200]
            begun.sendall(head)
            time.sleep(0.3)
            listener.process.send_signal(signal.SIGTERM)
            assert read_all(idle) == b""
            begun.sendall(rest)
            answer = read_all(begun)
        assert statuses(answer) == [200]
        assert b"connection: close" in answer
        assert listener.process.wait(timeout=15) == 0
        assert "refused" in listener.log.read_text()


def test_a_reload_refuses_nobody_and_a_bad_configuration_changes_nothing(server: Server, token: str) -> None:
    file = server.data / "gatepass.toml"
    try:
        with Listener(server.data, "--workers", "2") as listener:
            before, failed, ended = listener.workers(), [], threading.Event()

            def keep_asking() -> None:
                while not ended.is_set():
                    try:
                        if listener.status(bearer=token) != 200:
                            failed.append("status")
                    except (OSError, ValueError) as error:
                        failed.append(repr(error))

            asking = [threading.Thread(target=keep_asking) for _ in range(4)]
            for thread in asking:
                thread.start()
            file.write_text('[server]\ntrusted_proxies = ["127.0.0.1"]\n')
            listener.process.send_signal(signal.SIGHUP)
            assert poll(lambda: len(listener.workers()) == 2 and not set(listener.workers()) & set(before), seconds=30)
            ended.set()
            for thread in asking:
                thread.join()
            assert failed == []
            file.write_text('[server]\nunknown = "key"\n')
            listener.process.send_signal(signal.SIGHUP)
            assert poll(lambda: "not reloaded" in listener.log.read_text(), seconds=10)
            assert listener.status(bearer=token) == 200
    finally:
        file.unlink(missing_ok=True)


def test_a_worker_that_dies_is_started_anew(server: Server, token: str) -> None:
    with Listener(server.data) as listener:
        [worker] = listener.workers()
        os.kill(worker, signal.SIGKILL)
        assert listener.status(bearer=token) == 200  # whoever connects meanwhile waits for the next one
        assert listener.workers() != [worker]


def test_workers_end_when_their_parent_is_killed(server: Server) -> None:
    with Listener(server.data, "--workers", "2") as listener:
        workers = listener.workers()
        listener.process.kill()
        assert poll(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), seconds=10)


def test_a_unix_socket_is_for_user_and_group_and_goes_away(server: Server, token: str, tmp_path: Path) -> None:
    path = tmp_path / "verify.sock"
    with Listener(server.data, "--workers", "2", listen=f"unix:{path}") as listener:
        assert listener.url == f"unix:{path}"
        assert path.stat().st_mode & 0o777 == 0o770
        assert {listener.status(bearer=token) for _ in range(20)} == {200}
    assert not path.exists()


def test_an_address_of_others_is_refused(server: Server, tmp_path: Path) -> None:
    def refusal(*flags: str) -> str:
        done = gatepass("verifier", "--data", str(server.data), *flags, timeout=20)
        assert done.returncode == 1
        return done.stderr

    assert "plain HTTP" in refusal("--listen", "0.0.0.0:0")
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert "cannot listen" in refusal("--listen", address)
        assert "cannot listen" in refusal("--listen", address, "--workers", "2")
    assert "does not exist" in gatepass("verifier", "--data", str(tmp_path), "--listen", "127.0.0.1:0").stderr


def test_a_certificate_for_serve_does_not_open_the_listener_to_others(server: Server, tmp_path: Path) -> None:
    for name in ("cert", "key"):
        (tmp_path / name).write_text("")
    env = {"GATEPASS_SERVER__TLS_CERT": f"{tmp_path}/cert", "GATEPASS_SERVER__TLS_KEY": f"{tmp_path}/key"}
    env["GATEPASS_SERVER__PUBLIC_URL"] = "https://example.com"
    done = gatepass("verifier", "--data", str(server.data), "--listen", "0.0.0.0:0", env=env, timeout=20)
    assert (done.returncode, "plain HTTP" in done.stderr) == (1, True)


def resident_kib(pid: int) -> int:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def test_a_worker_takes_at_most_40_mb_and_imports_no_web_framework(server: Server) -> None:
    with Listener(server.data) as listener:
        assert resident_kib(listener.workers()[0]) * 1024 <= 40e6
    code = (
        "import sys, gatepass.server.verify_worker\n"
        "heavy = {'starlette', 'uvicorn', 'msgspec', 'click', 'structlog', 'prometheus_client', 'jinja2', 'argon2'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_the_embeddable_verifier_needs_neither_httptools_nor_uvloop() -> None:
    code = "import sys, gatepass.verifier.verifier, gatepass.verifier.answer; print('httptools' in sys.modules, 'uvloop' in sys.modules, 'asyncio' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert done.stdout.split()[:2] == ["False", "False"]


def test_an_end_that_comes_while_a_worker_is_replaced_is_an_end(tmp_path: Path) -> None:
    make_installation(tmp_path / "data")
    for _ in range(3):
        with Listener(tmp_path / "data") as listener:
            [first] = listener.workers()
            os.kill(first, signal.SIGKILL)
            poll(lambda: set(listener.workers()) - {first})  # noqa: B023
            assert listener.stop() == 0


def test_a_reload_while_a_worker_is_replaced_leaves_as_many_as_asked_for(tmp_path: Path) -> None:
    make_installation(tmp_path / "data")
    with Listener(tmp_path / "data") as listener:
        [first] = listener.workers()
        os.kill(first, signal.SIGKILL)
        listener.process.send_signal(signal.SIGHUP)
        poll(lambda: "reloaded" in listener.log.read_text())
        poll(lambda: len(listener.workers()) == 1)
        time.sleep(1.5)  # a replacement under way would be there by now
        assert len(listener.workers()) == 1
        assert listener.status("/livez") == 200
        assert listener.stop() == 0
