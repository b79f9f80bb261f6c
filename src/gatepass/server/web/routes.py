"""The table of all pages."""

from starlette.responses import Response
from starlette.routing import BaseRoute

from gatepass.server.web import (
    audit,
    elsewhere,
    logout,
    moving,
    people,
    policy,
    profile,
    providers,
    sign_in,
    static_files,
    tokens,
    verifiers,
)
from gatepass.server.web.pages import HOME, Page, PageRoute, Visit, redirect
from gatepass.server.web.unknown import UnknownRoute


def _home(_: Visit) -> Response:
    """Send whoever is signed in to their tokens."""
    return redirect(HOME)


PAGES: tuple[Page, ...] = (
    Page(path="/", get=_home),
    Page(path="/settings", get=_home),
    *sign_in.PAGES,
    *elsewhere.PAGES,
    *logout.PAGES,
    *tokens.PAGES,
    *profile.PAGES,
    *moving.PAGES,
    *people.PAGES,
    *policy.PAGES,
    *providers.PAGES,
    *verifiers.PAGES,
    *audit.PAGES,
)


ROUTES: tuple[BaseRoute, ...] = (
    *static_files.ROUTES,
    *(PageRoute(page) for page in PAGES),
    UnknownRoute(),
)
