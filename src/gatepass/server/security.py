"""What every response carries, and the one line each request leaves in the log.

The outermost layer: request id, security headers, log line, counters, and the last resort, which
turns an error nobody expected into 503.
"""

import secrets
import time
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatepass.errors import GatepassError, TryLater
from gatepass.server.context import Context
from gatepass.server.log import get_logger
from gatepass.verifier.answer import REQUEST_ID

_log = get_logger("gatepass.request")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
_HSTS = "max-age=31536000"
GATEWAY_ROUTE = "/verify"
_OFTEN = (GATEWAY_ROUTE, "/verifiers/")
_UNKNOWN_ROUTE = "unknown"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestLayer:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        """Wrap `app`."""
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        # SECURITY: taken as it was sent: decoded, one path would have many spellings for a gateway's rules to miss.
        scope["path"] = scope["raw_path"].decode("ascii")
        state = scope.setdefault("state", {})
        state["context"] = self._context
        state["request_id"] = _request_id(Headers(scope=scope))
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(MutableHeaders(scope=message), state)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:  # SECURITY: the last resort; nothing fails open
            state["error"] = error
            if status:
                raise
            await Response(b"", 503, {"retry-after": "1"})(scope, receive, send_with_headers)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _add_headers(self, headers: MutableHeaders, state: dict[str, Any]) -> None:
        headers["x-request-id"] = state["request_id"]
        if state.get("route") == GATEWAY_ROUTE:
            return  # no browser sees these, and every byte of them is paid for on each request
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if self._context.is_https:
            headers["strict-transport-security"] = _HSTS

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        state = scope["state"]
        # The template of the route, never the path: a path can hold what somebody pasted.
        route = state.get("route", _UNKNOWN_ROUTE)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._context.metrics.requests.labels(route, method, str(status)).inc()
        self._context.metrics.request_seconds.labels(route).observe(seconds)
        fields: dict[str, Any] = {
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "address": self._context.address_of(HTTPConnection(scope)),
            "request_id": state["request_id"],
        }
        if actor := state.get("actor"):
            fields["credential"] = actor.credential.value
            if actor.provider:
                fields["provider"] = actor.provider
            if actor.user_id:
                fields["user_id"] = str(actor.user_id)
            if actor.credential_id:
                fields["credential_id"] = str(actor.credential_id)
        if refusal := state.get("refusal"):
            reason, token_id = refusal
            fields |= {"refusal": reason, "token_id": str(token_id) if token_id else None}
        self._write(route, state.get("error"), fields)

    def _write(self, route: str, error: Exception | None, fields: dict[str, Any]) -> None:
        if error is not None and not isinstance(error, GatepassError):
            _log.error("request failed", exc_info=error, **fields)
        elif isinstance(error, TryLater):
            _log.warning("request refused for now", error=str(error), **fields)
        elif route.startswith(_OFTEN) and fields["status"] == HTTPStatus.OK:
            _log.debug("request", **fields)  # counted in metrics; a line for each would be all there is
        else:
            _log.info("request", **fields)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.match(given) else secrets.token_hex(8)
