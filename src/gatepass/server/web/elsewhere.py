"""Pages: sign in at an identity provider that the browser is sent to."""

from starlette.responses import Response

from gatepass.errors import NotAuthenticated, NotFound, Unavailable
from gatepass.interfaces import ConfiguredProvider, RedirectProvider
from gatepass.model.identity import Refusal, Refused
from gatepass.server.log import get_logger
from gatepass.server.web.flow import Flow, drop_flow, find_flow, keep_flow
from gatepass.server.web.forms import safe_next
from gatepass.server.web.pages import HOME, SIGN_IN, Page, Visit, redirect, set_cookie, show
from gatepass.server.web.sign_in import show_failed
from gatepass.services.sign_in_identity import sign_in_identity
from gatepass.services.start_session import StartedSession

_log = get_logger(__name__)
_ANSWER_BYTES = 256 * 1024
"""A signed assertion is longer than any form of ours."""


def do_begin(visit: Visit) -> Response:
    """Send the browser to the provider."""
    configured, provider = _provider(visit)
    begun = provider.begin(_callback(visit, configured))
    if not begun.url.startswith(("https://", "http://")):
        raise Unavailable("the identity provider is at no address of the web")
    # Not a redirect: browsers hold those that follow a form against `form-action`, at every further step.
    response = show(visit, "going.html", {"target": begun.url, "name": configured.name})
    keep_flow(visit.context, response, configured.id, begun, target=safe_next(visit.form.get("next")) or "")
    return response


def show_finished(visit: Visit) -> Response:
    """Read an answer in the query."""
    return _finish(visit, dict(visit.query))


def do_finish(visit: Visit) -> Response:
    """Read an answer that the provider's page posted."""
    return _finish(visit, dict(visit.form))


def show_description(visit: Visit) -> Response:
    """Give what the provider's side has to know of us."""
    configured, _ = _provider(visit)
    if configured.described is None:
        raise NotFound("this identity provider needs no description of us")
    content = configured.described.describe(_callback(visit, configured))
    return Response(content, media_type="application/samlmetadata+xml", headers={"cache-control": "no-store"})


def _finish(visit: Visit, answer: dict[str, str]) -> Response:
    configured, provider = _provider(visit)
    context = visit.context
    # SECURITY: without what this very browser began, no answer is read at all.
    flow = find_flow(context, visit.request.cookies, configured.id, now=visit.now)
    result = "refused"
    reason: str | None = Refusal.INVALID.value
    detail: str | None = None
    try:
        started = None
        if flow is not None:
            started, reason, detail = _started(visit, configured, provider, answer, flow)
        result = "ok" if started else "refused"
    finally:
        context.metrics.sign_ins.labels("provider", result).inc()
        _log.info(
            "sign-in elsewhere",
            provider=configured.id,
            result=result,
            reason=reason,
            detail=detail,
            began_here=flow is not None,
            address=visit.address,
            request_id=visit.request_id,
        )
    if started is None or flow is None:
        response = show_failed(visit, configured)
    else:
        response = redirect(safe_next(flow.target) or HOME)
        set_cookie(context, response, started.handle)
    drop_flow(context, response, configured.id)
    return response


def _started(
    visit: Visit, configured: ConfiguredProvider, provider: RedirectProvider, answer: dict[str, str], flow: Flow
) -> tuple[StartedSession | None, str | None, str | None]:
    """Return the new session, or None and why there is none: a reason, and what the provider adds to it."""
    finished = provider.finish(answer, flow.kept, _callback(visit, configured))
    if isinstance(finished, Refused):
        return None, finished.reason.value, finished.detail
    try:
        started = sign_in_identity(
            visit.deps,
            finished,
            address=visit.address,
            user_agent=visit.request.headers.get("user-agent"),
            request_id=visit.request_id,
            replaced=visit.session.id if visit.session else None,
        )
    except NotAuthenticated:
        return None, "not admitted", None  # the audit record says why
    return started, None, None


def _provider(visit: Visit) -> tuple[ConfiguredProvider, RedirectProvider]:
    configured = visit.deps.providers.get(visit.path["provider"])
    if configured is None or configured.redirect is None:
        raise NotFound("there is no such identity provider")
    return configured, configured.redirect


def _callback(visit: Visit, configured: ConfiguredProvider) -> str:
    return f"{visit.context.public_url}{SIGN_IN}/{configured.id}/callback"


PAGES = (
    Page(path=SIGN_IN + "/{provider}", post=do_begin, public=True),
    Page(path=SIGN_IN + "/{provider}/metadata", get=show_description, public=True),
    Page(
        path=SIGN_IN + "/{provider}/callback",
        get=show_finished,
        post=do_finish,
        public=True,
        from_elsewhere=True,
        most_bytes=_ANSWER_BYTES,
    ),
)
