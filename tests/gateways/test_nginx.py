"""nginx in front of the verify listener, with the configuration that docs/how-to/gateway.md gives."""

import http.client
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_connection, create_server
from textwrap import dedent

import pytest

from support.listener import Listener
from support.server import EMAIL, Server
from support.waiting import poll

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "gateway.md"
REQUESTS = 500


def documented(section: str) -> str:
    """Return the first indented block of a section of the page."""
    text = PAGE.read_text("utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return dedent(re.search(r"(?:^    .*\n|^\n)+", text.lstrip("\n"), re.MULTILINE)[0])


class Service(BaseHTTPRequestHandler):
    """The service behind the gateway: tells what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps(dict(self.headers.items())).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()
    thread.join()


@contextmanager
def nginx(folder: Path, config: str) -> Iterator[int]:
    """Run nginx with what is written for its http block; yield its port."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    assert program, "nginx is not installed, see requirements/debian.txt"
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    paths = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.getuid() == 0 else ""  # it has to be in the socket's group
    file = folder / "nginx.conf"
    file.write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;"
        f" events {{}} http {{ access_log off; {paths}\n{config.replace('listen 80;', f'listen 127.0.0.1:{port};')}\n}}"
    )
    with subprocess.Popen([program, "-p", folder, "-c", file], stderr=subprocess.DEVNULL) as process:
        try:
            poll(lambda: process.poll() is None and answers(port))
            yield port
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def get(port: int, *, bearer: str = "", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        sent = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        connection.request(
            "GET", "/orders", headers=sent | {name.replace("_", "-"): each for name, each in headers.items()}
        )
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def test_nginx_as_documented_lets_good_tokens_through_and_keeps_its_connections(
    server: Server, service: str, tmp_path: Path
) -> None:
    value, info = server.create_token()
    socket_path = tmp_path / "verify.sock"
    config = documented("nginx").replace("/run/gatepass/verify.sock", str(socket_path)).replace("your-service", service)
    assert "keepalive" in config
    with Listener(server.data, listen=f"unix:{socket_path}") as listener:
        with nginx(tmp_path, config) as port:
            status, body = get(port, bearer=value, X_Gatepass_User="somebody@else.example")
            assert status == 200
            told = {name.lower(): each for name, each in json.loads(body).items()}
            assert told["x-gatepass-user"] == EMAIL
            assert "authorization" not in told
            assert get(port)[0] == get(port, bearer=value[:-1] + "!")[0] == 401
            assert {get(port, bearer=value)[0] for _ in range(REQUESTS)} == {200}
            assert server.admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}").status == 204
            assert get(port, bearer=value)[0] == 401
        assert listener.stop() == 0
        log = listener.log.read_text()
    [connections] = re.findall(r'"connections": (\d+)', log)
    assert int(connections) <= 16
    assert f'"accepted": {REQUESTS + 1}' in log


def test_a_listener_that_is_away_lets_nobody_through(server: Server, service: str, tmp_path: Path) -> None:
    value, _ = server.create_token()
    config = (
        documented("nginx").replace("/run/gatepass/verify.sock", f"{tmp_path}/none").replace("your-service", service)
    )
    with nginx(tmp_path, config) as port:
        assert get(port, bearer=value)[0] == 500
