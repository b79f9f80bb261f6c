"""Where an identity provider says by itself that somebody signed out there (OpenID Connect Back-Channel Logout 1.0)."""

from http import HTTPStatus

from starlette.responses import Response

from gatepass.errors import NotAuthenticated, NotFound
from gatepass.model.identity import Refused
from gatepass.server.log import get_logger
from gatepass.server.web.pages import SIGN_IN, Page, Visit
from gatepass.services.end_provider_sessions import end_provider_sessions

_log = get_logger(__name__)
_ANSWER_HEADERS = {"cache-control": "no-store"}


def do_logout(visit: Visit) -> Response:
    """End what the provider says is over. It proves itself by its signature alone."""
    configured = visit.deps.providers.get(visit.path["provider"])
    if configured is None or configured.logout is None:
        raise NotFound("there is no such identity provider")
    ended = configured.logout.read_logout(visit.form.get("logout_token", ""))
    count, detail = None, None
    if isinstance(ended, Refused):
        detail = ended.detail
    else:
        try:
            count = end_provider_sessions(visit.deps, ended, address=visit.address, request_id=visit.request_id)
        except NotAuthenticated:
            detail = "taken before"
    _log.info(
        "sign-out elsewhere",
        provider=configured.id,
        sessions=count,
        detail=detail,
        address=visit.address,
        request_id=visit.request_id,
    )
    return Response(b"", HTTPStatus.BAD_REQUEST if count is None else HTTPStatus.OK, _ANSWER_HEADERS)


PAGES = (Page(path=SIGN_IN + "/{provider}/back-channel-logout", post=do_logout, public=True, from_elsewhere=True),)
