"""An application behind the middleware gets requests with a good token, and no others. Real servers."""

import json
import threading
import wsgiref.simple_server
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
import uvicorn

from gatepass.errors import InvalidInput, Unavailable
from gatepass.services.revoke_token import revoke_token
from gatepass.testing.fakes import acting
from gatepass.verifier import Verifier, asgi, wsgi
from services.conftest import World
from support.waiting import poll
from verifier.conftest import Counting


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["gatepass"].owner_name.encode()})


def wsgi_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [environ["gatepass"].owner_name.encode()]


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(params=["asgi", "wsgi"])
def port(request: pytest.FixtureRequest, verifier: Verifier) -> Iterator[int]:
    """The port of a server whose application demands `reports:read`."""
    if request.param == "asgi":
        app = asgi.RequireToken(asgi_app, verifier, scope="reports:read")
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="on", ws="none"))
        thread = threading.Thread(target=server.run)
        thread.start()
        poll(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True
    else:
        made = wsgiref.simple_server.make_server(
            "127.0.0.1", 0, wsgi.RequireToken(wsgi_app, verifier, scope="reports:read"), handler_class=Quiet
        )
        thread = threading.Thread(target=made.serve_forever, args=[0.02])
        thread.start()
        yield made.server_port
        made.shutdown()
        made.server_close()
    thread.join()


def ask(port: int, *authorization: str, path: str = "/", headers: Mapping[str, str] | None = None) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", path)
    for value in authorization:
        connection.putheader("Authorization", value)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.text = answer.read().decode()  # type: ignore[attr-defined]
    connection.close()
    return answer


def test_a_good_token_passes_and_the_application_knows_whose_it_is(world: World, port: int) -> None:
    answer = ask(port, f"Bearer {world.token(world.admin).value.reveal()}")
    assert (answer.status, answer.text) == (200, "admin@example.com")  # type: ignore[attr-defined]


def test_a_deleted_token_is_refused_at_once(world: World, port: int) -> None:
    made = world.token(world.admin)
    assert ask(port, f"bearer {made.value.reveal()}").status == 200
    revoke_token(world.deps, acting(world.admin), made.token.id)
    answer = ask(port, f"Bearer {made.value.reveal()}")
    assert answer.status == 401
    assert answer.getheader("www-authenticate") == 'Bearer realm="gatepass", error="invalid_token"'
    assert answer.getheader("cache-control") == "no-store"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: [],
        lambda token: [token],
        lambda token: ["Bearer "],
        lambda token: [f"Basic {token}"],
        lambda token: [f"Bearer  {token}"],
        lambda token: [f"Bearer {token}", f"Bearer {token}"],
        lambda token: [f"Bearer {token},"],
        lambda token: [f"Bearer {token[:-1]}"],
        lambda token: [f"Bearer {token.swapcase()}"],
        lambda token: [f"Bearer {token}é".encode().decode("latin-1")],
    ],
)
def test_whatever_is_not_one_good_token_is_refused(world: World, port: int, spoil: Any) -> None:
    answer = ask(port, *spoil(world.token(world.admin).value.reveal()))
    assert (answer.status, answer.text) == (401, "")  # type: ignore[attr-defined]
    assert str(answer.getheader("www-authenticate")).startswith('Bearer realm="gatepass"')


def test_a_token_elsewhere_than_in_its_header_is_not_read(world: World, port: int) -> None:
    token = world.token(world.admin).value.reveal()
    for path, headers in (
        (f"/?access_token={token}", {}),
        ("/", {"Cookie": f"gatepass={token}"}),
        ("/", {"X-Authorization": f"Bearer {token}"}),
    ):
        assert ask(port, path=path, headers=headers).status == 401


def test_an_outage_is_503_and_never_a_refusal(world: World, port: int, source: Counting) -> None:
    def fail() -> None:
        raise Unavailable("gone")

    source.before_return = fail
    answer = ask(port, f"Bearer {world.token(world.admin).value.reveal()}")
    assert (answer.status, answer.getheader("retry-after")) == (503, "1")


@pytest.mark.parametrize("middleware", [asgi.RequireToken, wsgi.RequireToken])
def test_a_scope_that_is_none_is_noticed_when_the_application_starts(middleware: Any, verifier: Verifier) -> None:
    with pytest.raises(InvalidInput, match="scope: 'reports' is not a scope"):
        middleware(None, verifier, scope="reports")


def test_a_websocket_without_a_token_is_closed_before_it_is_open(verifier: Verifier) -> None:
    sent = []

    async def connect() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await asgi.RequireToken(asgi_app, verifier)({"type": "websocket", "headers": []}, receive, send)

    with suppress(StopIteration):  # nothing in it waits, so it needs no event loop
        connect().send(None)
    assert json.dumps(sent) == '[{"type": "websocket.close", "code": 1008}]'
