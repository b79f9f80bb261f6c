"""The composition root of the HTTP server: all doors in one application."""

from starlette.requests import Request
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gatepass.server import problems
from gatepass.server.api import health, openapi
from gatepass.server.api.routing import build_routes, error_response
from gatepass.server.context import Context
from gatepass.server.gateway import forward_auth
from gatepass.server.security import RequestLayer
from gatepass.server.web import routes as web
from gatepass.server.web.pages import error_page


def build_app(context: Context) -> ASGIApp:
    """Return the application of one server."""
    routes: list[BaseRoute] = [
        *forward_auth.ROUTES,
        *health.ROUTES,
        *openapi.ROUTES,
        *build_routes(openapi.OPERATIONS),
        *web.ROUTES,
    ]
    return RequestLayer(Router(routes, redirect_slashes=False, default=_not_found), context)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    request, error = Request(scope), problems.RouteNotFound("no such route")
    under_rest = scope["path"].lower().startswith("/v4")
    response = error_response(request, error, None) if under_rest else error_page(request, error, None)
    await response(scope, receive, send)
