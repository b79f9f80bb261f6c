"""Pages: sign in at an identity provider that the browser is sent to, or that a proxy in front speaks for."""

from collections.abc import Callable

from starlette.responses import Response

from gatepass.errors import NotAuthenticated, NotFound
from gatepass.interfaces import ConfiguredProvider, ProxyProvider, RedirectProvider
from gatepass.model.identity import Finished, Refusal, Refused
from gatepass.server.log import get_logger
from gatepass.server.web.flow import drop_flow, find_flow
from gatepass.server.web.forms import safe_next
from gatepass.server.web.going import callback_of, go_there
from gatepass.server.web.moving import take_answer
from gatepass.server.web.pages import HOME, SIGN_IN, Page, Visit, redirect, set_cookie
from gatepass.server.web.sign_in import show_failed
from gatepass.services.sign_in_identity import sign_in_identity
from gatepass.services.start_session import StartedSession

_log = get_logger(__name__)
_ANSWER_BYTES = 256 * 1024
"""A signed assertion is longer than any form of ours."""


def do_begin(visit: Visit) -> Response:
    """Send the browser to the provider, or believe the proxy."""
    vouching = visit.deps.providers.get(visit.path["provider"])
    if vouching is not None and vouching.proxy is not None:
        return _take_word(visit, vouching, vouching.proxy)
    configured, provider = _provider(visit)
    begun = provider.begin(callback_of(visit, configured))
    return go_there(visit, configured, begun, target=safe_next(visit.form.get("next")) or "")


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
    content = configured.described.describe(callback_of(visit, configured))
    return Response(content, media_type="application/samlmetadata+xml", headers={"cache-control": "no-store"})


def _finish(visit: Visit, answer: dict[str, str]) -> Response:
    configured, provider = _provider(visit)
    context = visit.context
    # SECURITY: without what this very browser began, no answer is read at all.
    flow = find_flow(context, visit.request.cookies, configured.id, now=visit.now)

    def finish() -> Finished | Refused:
        if flow is None:
            return Refused(Refusal.INVALID, detail="this browser began nothing")
        return provider.finish(answer, flow.kept, callback_of(visit, configured))

    if flow is not None and flow.mover:
        response = take_answer(visit, configured, finish(), mover=flow.mover)
    else:
        response = _started(visit, configured, finish, target=flow.target if flow else None)
    drop_flow(context, response, configured.id)
    return response


def _take_word(visit: Visit, configured: ConfiguredProvider, provider: ProxyProvider) -> Response:
    """Sign in whom the proxy in front vouches for."""

    def finish() -> Finished | Refused:
        found = provider.read_headers(visit.request.headers.items(), visit.context.carrier_of(visit.request))
        return found if isinstance(found, Refused) else Finished(found)

    return _started(visit, configured, finish, target=visit.form.get("next"))


def _started(
    visit: Visit, configured: ConfiguredProvider, finish: Callable[[], Finished | Refused], *, target: str | None
) -> Response:
    """Start a session for whoever `finish` says it is, and go on to `target`; or say that it did not work."""
    result, why, detail, started = "refused", None, None, None
    try:
        finished = finish()
        if isinstance(finished, Refused):
            why, detail = finished.reason.value, finished.detail
        else:
            started = _session(visit, finished)
            why = None if started else "not admitted"  # the audit record says more
        result = "ok" if started else "refused"
    finally:
        visit.context.metrics.sign_ins.labels("provider", result).inc()
        _log.info(
            "sign-in elsewhere",
            provider=configured.id,
            result=result,
            reason=why,
            detail=detail,
            address=visit.address,
            request_id=visit.request_id,
        )
    if started is None:
        return show_failed(visit, configured)
    response = redirect(safe_next(target) or HOME)
    set_cookie(visit.context, response, started.handle)
    return response


def _session(visit: Visit, finished: Finished) -> StartedSession | None:
    try:
        return sign_in_identity(
            visit.deps,
            finished,
            address=visit.address,
            user_agent=visit.request.headers.get("user-agent"),
            request_id=visit.request_id,
            replaced=visit.session.id if visit.session else None,
        )
    except NotAuthenticated:
        return None


def _provider(visit: Visit) -> tuple[ConfiguredProvider, RedirectProvider]:
    configured = visit.deps.providers.get(visit.path["provider"])
    if configured is None or configured.redirect is None:
        raise NotFound("there is no such identity provider")
    return configured, configured.redirect


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
