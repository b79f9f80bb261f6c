"""ASGI middleware: lets a request through to an application only with a token that is good for it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gatepass.errors import Unavailable
from gatepass.model.verdict import Accepted
from gatepass.verifier.bearer import bearer_of
from gatepass.verifier.protect import Demand, Refusal
from gatepass.verifier.verifier import Verifier

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class RequireToken:
    """Answers 401, 403 or 503 itself; else `scope["gatepass"]` is the Accepted for the application.

    Works for `http` and `websocket`; anything else, such as `lifespan`, passes. The client's address
    is the one the server gives: behind a proxy, let the server set it.
    """

    def __init__(self, app: Application, verifier: Verifier, *, scope: str = "", audience: str | None = None) -> None:
        """Protect `app`. `scope` names what every request needs, separated by spaces; `audience` this service."""
        self._app = app
        self._verifier = verifier
        self._demand = Demand(scope, audience=audience)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        found = await self._judge(scope)
        if not isinstance(found, Accepted):
            await _answer(scope, receive, send, found)
            return
        scope["gatepass"] = found
        await self._app(scope, receive, send)

    async def _judge(self, scope: Scope) -> Accepted | Refusal:
        values = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"authorization"]
        text = bearer_of(values)
        if text is None:
            return self._demand.refuse(None)
        peer = scope.get("client")
        requirements = self._demand.of(peer[0] if peer else None)
        try:
            verdict = await self._verifier.verify_async(text, requirements)
        except Unavailable as error:
            return self._demand.refuse(error)
        return verdict if isinstance(verdict, Accepted) else self._demand.refuse(verdict)


async def _answer(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    status, headers = refusal
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1013 if status == 503 else 1008})
        return
    written = [(name.encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": written})
    await send({"type": "http.response.body", "body": b""})
