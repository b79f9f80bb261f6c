"""The composition root of the HTTP server: all doors in one application."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gatepass.errors import GatepassError, Unavailable
from gatepass.server import problems
from gatepass.server.api import health, openapi
from gatepass.server.api.routing import build_routes, error_response
from gatepass.server.context import Context
from gatepass.server.gateway import forward_auth
from gatepass.server.oauth import routes as oauth
from gatepass.server.scim import routes as scim
from gatepass.server.security import RequestLayer
from gatepass.server.verifiers import routes as verifiers
from gatepass.server.web import routes as web
from gatepass.server.web.pages import error_page


def build_app(context: Context) -> ASGIApp:
    """Return the application of one server."""
    routes: list[BaseRoute] = [
        *forward_auth.ROUTES,
        *oauth.ROUTES,
        *verifiers.ROUTES,
        *scim.build_routes(context.deps),
        *health.ROUTES,
        *openapi.ROUTES,
        *build_routes(openapi.OPERATIONS),
        *web.ROUTES,
    ]
    router = Router(routes, redirect_slashes=False, default=_not_found)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (_crowded if scope["state"].get("crowded") else router)(scope, receive, send)

    return RequestLayer(answer, context)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await _tell(problems.RouteNotFound("no such route"), scope)(scope, receive, send)


async def _crowded(scope: Scope, receive: Receive, send: Send) -> None:
    await _tell(Unavailable("too many connections"), scope)(scope, receive, send)


def _tell(error: GatepassError, scope: Scope) -> Response:
    """Tell an error as the door that the path belongs to would."""
    request, path = Request(scope), scope["path"].lower()
    if path.startswith("/v4"):
        return error_response(request, error, None)
    if path.startswith("/oauth2"):
        return oauth.refusal(request, error, None)
    if path.startswith("/verifiers/"):
        return verifiers.refusal(request, error, None)
    if path.startswith(scim.PREFIX) and scim.is_on(request.state.context.deps):
        return scim.refusal(request, error, None)
    return forward_auth.refusal(request, error) if path.startswith("/verify") else error_page(request, error, None)
