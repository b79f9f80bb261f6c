"""Which paths and methods are routes: one spelling each, and none while the feature is off."""

import socket

import pytest

from gatepass.server.api.openapi import OPERATIONS
from gatepass.server.api.routing import path_pattern
from support.server import EMAIL, PASSWORD, Server, basic_header, make_installation

OWN = "/v4/apiAccessTokens"
TOKEN_PATHS = sorted({operation.path for operation in OPERATIONS if operation.feature})


def status(server: Server, path: bytes) -> int:
    """Send a path as these very bytes, as the administrator."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: %s\r\n\r\n"
        connection.sendall(head % (path, basic_header(EMAIL, PASSWORD).encode()))
        return int(b"".join(iter(lambda: connection.recv(65_536), b"")).split()[1])


@pytest.mark.parametrize(
    "path",
    [
        b"/v4/%C5%BFettings",  # a long s, which is an S without case
        b"/v4/apiAcce%C5%BF%C5%BFTokens",
        b"/v4/apiAccessTo%E2%84%AAens",  # the sign of Kelvin, which is a K without case
        b"/v4%2Fsettings",
        b"/v4%2fpeople%2fcurrent",
        b"/v4/people%2Fcurrent",
        b"/v4/people/%2e%2e/settings",
        b"/v4/people/../settings",
        b"/v4/./settings",
        b"/v4/%2e/settings",
        b"/%2e%2e/v4/settings",
        b"/v4/settings;x=y",
        b"/v4;x/settings",
        b"/v4/settings%3Bx",
        b"//v4/settings",
        b"/v4//settings",
        b"/v4/settings//",
        b"/v4\\settings",
        b"/v4/settings%00",
        b"/v4/settings%20",
        b"/v4/settings%0a",
        b"/v4/%73ettings",
        b"/%764/settings",
        b"/v4/people/%63urrent",
    ],
)
def test_a_path_that_only_decodes_or_folds_into_a_route_is_none(server: Server, path: bytes) -> None:
    assert status(server, path) == 404


@pytest.mark.parametrize(
    "path", ["/v4/\u017fettings".encode(), b"/v4/\xffettings", b"/v4/settings\x00", b"/v4/settings\x0b"]
)
def test_a_path_of_bytes_that_no_path_has_is_refused(server: Server, path: bytes) -> None:
    assert status(server, path) in {400, 404}


@pytest.mark.parametrize("path", ["/v4/\u017fettings", "/v4/\u212aeys", "/v4/settings\n"])
def test_case_is_folded_for_ascii_alone(path: str) -> None:
    for route in ("/v4/settings", "/v4/keys"):
        assert path_pattern(route).match(path) is None


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", TOKEN_PATHS)
def test_while_tokens_are_off_their_routes_do_not_exist_for_any_method(off: Server, method: str, path: str) -> None:
    for credentials in ({"basic": (EMAIL, PASSWORD)}, {}):
        reply = off.request(method, path.format(id="x", tokenId="x"), **credentials)
        assert (reply.status, reply.error, reply.headers["allow"]) == (404, "RouteNotFoundException", None)


@pytest.fixture(scope="module")
def off(tmp_path_factory: pytest.TempPathFactory):
    data = tmp_path_factory.mktemp("off") / "data"
    make_installation(data, enable_tokens=False)
    with Server(data) as server:
        yield server
