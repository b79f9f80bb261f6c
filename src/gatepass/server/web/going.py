"""Sending a browser to an identity provider, and where its answer comes back to."""

from starlette.responses import Response

from gatepass.errors import Unavailable
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.identity import Begun
from gatepass.server.web.flow import keep_flow
from gatepass.server.web.pages import SIGN_IN, Visit, show


def callback_of(visit: Visit, configured: ConfiguredProvider) -> str:
    """Return the address for a provider's answer."""
    return f"{visit.context.public_url}{SIGN_IN}/{configured.id}/callback"


def go_there(
    visit: Visit, configured: ConfiguredProvider, begun: Begun, *, target: str = "", mover: str = ""
) -> Response:
    """Return the page that leads there; the browser keeps what has to come back. Raises Unavailable."""
    if not begun.url.startswith(("https://", "http://")):
        raise Unavailable("the identity provider is at no address of the web")
    # Not a redirect: browsers hold those that follow a form against `form-action`, at every further step.
    response = show(visit, "going.html", {"target": begun.url, "name": configured.name, "leaving": False})
    keep_flow(visit.context, response, configured.id, begun, target=target, mover=mover)
    return response
