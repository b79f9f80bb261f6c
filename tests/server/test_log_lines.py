"""What strangers send never makes a second line in the log, nor speaks to a terminal."""

import json
import re
import socket
import subprocess
import sys

import pytest

from support.server import EMAIL, PASSWORD, Server, make_installation

FORGED = "forged-by-a-stranger"
HARMFUL = [f"x{mark}{FORGED}" for mark in ("\r\n", "\n", "\r", "\x1b[2J", "\x9b2J", "\u2028", "\u2029", "\x85", "\x00")]
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def send(server: Server, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head)
        try:
            while connection.recv(65_536):
                pass
        except ConnectionResetError:
            pass


def harass(server: Server) -> None:
    """Put each harmful text wherever a request has room for one."""
    for text in HARMFUL:
        raw = text.encode()
        for head in (
            b"GET /%s HTTP/1.1\r\nHost: x\r\n" % raw,
            b"GET /livez?%s HTTP/1.1\r\nHost: x\r\n" % raw,
            b"%s /livez HTTP/1.1\r\nHost: x\r\n" % raw,
            *(
                b"GET /v4/people HTTP/1.1\r\nHost: x\r\n%s: %s\r\n" % (name, raw)
                for name in (b"X-Request-Id", b"X-Forwarded-For", b"User-Agent", b"Authorization", b"Cookie", b"Origin")
            ),
        ):
            send(server, head + b"Connection: close\r\n\r\n")
        server.request("GET", "/v4/people", basic=(text, text))
        server.request("POST", "/v4/apiAccessTokens", {"lifetimeSeconds": 60, text: 1}, basic=(EMAIL, PASSWORD))
        server.request(
            "POST", "/v4/apiAccessTokens", {"lifetimeSeconds": 60, "description": text}, basic=(EMAIL, PASSWORD)
        )
        server.request("POST", "/v4/people", {"email": text, "name": text}, basic=(EMAIL, PASSWORD))
        server.request("PATCH", "/v4/settings", {text: text}, basic=(EMAIL, PASSWORD))
        server.request("PATCH", "/v4/settings", {"tokens.retentionDays": text}, basic=(EMAIL, PASSWORD))


@pytest.fixture(scope="module", params=["json", "text"])
def logged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The style of a log, and the log of a server that all of this was sent to."""
    data = tmp_path_factory.mktemp("logged") / "data"
    make_installation(data)
    env = {
        "GATEPASS_LOG__LEVEL": "debug",
        "GATEPASS_LOG__FORMAT": request.param,
        "GATEPASS_SERVER__TRUSTED_PROXIES": "127.0.0.1",
    }
    with Server(data, env=env) as server:
        harass(server)
        server.request("GET", "/livez", headers={"X-Request-Id": "the-last-one"})
    return request.param, server.log.read_text("utf-8")


def require_lines(style: str, log: str) -> None:
    """Fail unless every line is an event and nothing speaks to a terminal."""
    assert CONTROLS.search(log) is None
    for line in log.splitlines():
        if style == "json":
            assert "event" in json.loads(line)
        else:
            assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z (debug|info|warning|error)\b", line), line


def test_what_strangers_send_stays_in_the_line_of_its_event(logged: tuple[str, str]) -> None:
    style, log = logged
    require_lines(style, log)
    assert log.count("the-last-one") == 1


def test_nothing_strangers_send_is_a_failure_nobody_expected(logged: tuple[str, str]) -> None:
    assert not re.search(r"Traceback|\berror\b.*request failed|request failed.*\berror\b", logged[1])


@pytest.mark.parametrize("style", ["json", "text"])
def test_any_value_that_is_logged_stays_in_its_line(style: str) -> None:
    code = """if True:
        import sys
        from gatepass.server.log import get_logger, set_up_logging
        from gatepass.server.settings import LogConfig
        set_up_logging(LogConfig(format=sys.argv[1]))
        for number, text in enumerate(eval(sys.argv[2])):
            get_logger("test").info("something", value=text, number=number)
    """
    done = subprocess.run([sys.executable, "-c", code, style, ascii(HARMFUL)], capture_output=True, check=True)
    log = done.stderr.decode()
    require_lines(style, log)
    assert len(log.splitlines()) == len(HARMFUL)
