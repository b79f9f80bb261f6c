"""Pages: Settings > Profile > Sign in with …: move one's account to an identity provider, with proof of both.

The password here is typed again; then somebody proves there who they are. Where the browser is sent there, they are
shown who they turned out to be before anything changes.
"""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import Response

from gatepass.errors import Conflict, NotAllowed, NotAuthenticated, NotFound, TooManyRequests
from gatepass.interfaces import ConfiguredProvider, RedirectProvider
from gatepass.model.identity import Finished, Refused
from gatepass.model.secret import Secret
from gatepass.model.user import EMAIL_LENGTH
from gatepass.server.log import get_logger
from gatepass.server.web.found import Found, drop_found, find_found, keep_found
from gatepass.server.web.going import callback_of, go_there
from gatepass.server.web.pages import Page, Visit, redirect, set_cookie, show
from gatepass.server.web.profile import PROFILE, movable
from gatepass.server.web.words import waiting_words
from gatepass.services.check_password_there import check_password_there
from gatepass.services.move_to_provider import move_to_provider
from gatepass.services.prove_session import prove_session
from gatepass.services.start_session import StartedSession

MOVE = f"{PROFILE}/move"
_log = get_logger(__name__)


def show_move(visit: Visit) -> Response:
    """Say what it means, and ask for the password."""
    return _form(visit, _configured(visit), {})


def do_move(visit: Visit) -> Response:
    """Check the password here; then go there, or check the password of there."""
    configured = _configured(visit)
    try:
        if configured.redirect is not None:
            return _gone(visit, configured, configured.redirect)
        return _typed(visit, configured)
    except NotAllowed as error:
        return _form(visit, configured, {"password": str(error)})
    except TooManyRequests as error:
        errors = {"why": f"too many tries. Try again in {waiting_words(error.retry_after)}"}
        response = _form(visit, configured, errors, HTTPStatus.TOO_MANY_REQUESTS)
        response.headers["retry-after"] = str(error.retry_after)
        return response


def _gone(visit: Visit, configured: ConfiguredProvider, provider: RedirectProvider) -> Response:
    begun = provider.begin(callback_of(visit, configured))
    proven = _proven(visit)
    if proven is None:
        return _form(visit, configured, {"password": "that is not your password"})
    # SECURITY: what comes back is for this session, and for this alone.
    response = go_there(visit, configured, begun, mover=str(proven.session.id))
    set_cookie(visit.context, response, proven.handle)
    return response


def _typed(visit: Visit, configured: ConfiguredProvider) -> Response:
    login, there = visit.form.get("login", "").strip()[:EMAIL_LENGTH], Secret(visit.form.get("there", ""))
    try:
        identity = check_password_there(visit.deps, visit.actor, configured.id, login=login, password=there)
    except NotAuthenticated:
        return _form(visit, configured, {"there": f"{configured.name} does not know this name with this password"})
    proven = _proven(visit)
    if proven is None:
        return _form(visit, configured, {"password": "that is not your password"})
    renewed = visit.with_session(proven.session, proven.handle)
    response = _moved(renewed, configured, Finished(identity))
    if "set-cookie" not in response.headers:
        set_cookie(visit.context, response, proven.handle)
    return response


def _proven(visit: Visit) -> StartedSession | None:
    """Return the session anew if the password is right."""
    try:
        return prove_session(visit.deps, visit.actor, Secret(visit.form.get("password", "")), device=visit.device)
    except NotAuthenticated:
        return None


def take_answer(visit: Visit, configured: ConfiguredProvider, answer: Finished | Refused, *, mover: str) -> Response:
    """Keep who it was for the page that asks. Whoever posts an answer from elsewhere comes without our session."""
    refused = answer if isinstance(answer, Refused) else None
    _log.info(
        "came back to move",
        provider=configured.id,
        result="refused" if refused else "ok",
        reason=refused.reason.value if refused else None,
        detail=refused.detail if refused else None,
        address=visit.address,
        request_id=visit.request_id,
    )
    if isinstance(answer, Refused):
        return redirect(_address(configured), failed="there")
    response = redirect(f"{_address(configured)}/confirm")
    keep_found(visit.context, response, configured, Found(answer, mover))
    return response


def show_confirm(visit: Visit) -> Response:
    """Show who they are there, and ask whether that is them."""
    configured = _configured(visit)
    found = _found(visit, configured)
    if found is None:
        return redirect(_address(configured), failed="late")
    return show(visit, "move_confirm.html", {"provider": configured, "identity": found.finished.identity})


def do_confirm(visit: Visit) -> Response:
    """Move the account."""
    configured = _configured(visit)
    found = _found(visit, configured)
    if found is None:
        return redirect(_address(configured), failed="late")
    response = _moved(visit, configured, found.finished)
    drop_found(visit.context, response, configured.id)
    return response


def _found(visit: Visit, configured: ConfiguredProvider) -> Found | None:
    found = find_found(visit.context, visit.request.cookies, configured.id, now=visit.now)
    # SECURITY: in another session, of this browser or another, it would be somebody else's account.
    return found if found and visit.session and found.mover == str(visit.session.id) else None


def _moved(visit: Visit, configured: ConfiguredProvider, finished: Finished) -> Response:
    """Move the account, or say why not."""
    try:
        started = move_to_provider(
            visit.deps, visit.actor, finished, user_agent=visit.request.headers.get("user-agent")
        )
    except (Conflict, NotAllowed) as error:
        return _form(visit, configured, {"why": str(error)}, HTTPStatus.CONFLICT)
    response = redirect(PROFILE, done="moved")
    set_cookie(visit.context, response, started.handle)
    return response


def _configured(visit: Visit) -> ConfiguredProvider:
    """Return the provider of the path, if whoever asks can move there."""
    found = {each.id: each for each in movable(visit)}.get(visit.path["provider"])
    if found is None:
        raise NotFound("there is no such identity provider, or you sign in elsewhere already")
    return found


_FAILED = {
    "there": "you could not be signed in there, or not by this browser. Nothing was changed",
    "late": "that took too long, or began in another session. Begin again",
}


def _form(
    visit: Visit, configured: ConfiguredProvider, errors: Mapping[str, str], status: HTTPStatus | None = None
) -> Response:
    why = errors.get("why") or _FAILED.get(visit.query.get("failed", ""))
    values = {
        "provider": configured,
        "address": _address(configured),
        "login": visit.form.get("login", ""),
        "errors": errors,
        "why": why,
    }
    return show(visit, "move.html", values, status=status or (HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK))


def _address(configured: ConfiguredProvider) -> str:
    return f"{MOVE}/{quote(configured.id)}"


PAGES = (
    Page(path=MOVE + "/{provider}", get=show_move, post=do_move, hashes=True),
    Page(path=MOVE + "/{provider}/confirm", get=show_confirm, post=do_confirm),
)
