"""Addresses where nothing is: whoever is signed in keeps their side bar; a stranger learns nothing."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from gatepass.server.context import context_of
from gatepass.server.problems import RouteNotFound
from gatepass.server.web.pages import Visit, error_page, visit_of


class UnknownRoute(Route):
    """Stands for every address outside REST and OAuth, and is asked last."""

    def __init__(self) -> None:
        """Match all that nothing else does."""
        super().__init__("/{path:path}", endpoint=self._answer)
        self.methods = None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match in part only: a route of the same address comes first, even one for other methods."""
        match, child = super().matches(scope)
        if match is Match.NONE or scope["path"].lower().startswith(("/v4", "/oauth2", "/scim/")):
            return Match.NONE, {}
        return Match.PARTIAL, child

    async def _answer(self, request: Request) -> Response:
        return error_page(request, RouteNotFound("no such route"), await _signed_in(request))


async def _signed_in(request: Request) -> Visit | None:
    """Return the visit of somebody signed in; None if that cannot be told."""
    context = context_of(request)
    if context.cookie_name not in request.cookies or "authorization" in request.headers:
        return None
    try:
        visit = await context.work.run(lambda: visit_of(request))
    except Exception:  # noqa: BLE001  what a stranger is told is always right
        return None
    return visit if visit.user else None
