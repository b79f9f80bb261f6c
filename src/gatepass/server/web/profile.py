"""Pages: Settings > Profile: one's password and one's sessions."""

from http import HTTPStatus

from starlette.responses import Response

from gatepass.errors import InvalidInput, TooManyRequests
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.secret import Secret
from gatepass.server.parsing import parse_id
from gatepass.server.web.pages import Page, Visit, redirect, set_device_cookie, show
from gatepass.server.web.words import waiting_words
from gatepass.services.change_password import change_password
from gatepass.services.list_sessions import list_sessions
from gatepass.services.sign_out import sign_out
from gatepass.services.sign_out_elsewhere import sign_out_elsewhere

PROFILE = "/settings/profile"
_FIELDS = {"currentPassword": "current", "newPassword": "new"}


def show_profile(visit: Visit) -> Response:
    """Show who is signed in, and where else."""
    return _profile(visit, {})


def do_change_password(visit: Visit) -> Response:
    """Change the password; all other sessions end."""
    current, new = visit.form.get("current", ""), visit.form.get("new", "")
    try:
        if new != visit.form.get("again", ""):
            raise InvalidInput("again", "the two are not the same")
        device = change_password(visit.deps, visit.actor, current=Secret(current), new=Secret(new), device=visit.device)
    except InvalidInput as error:
        reason = "that is not your password" if error.field == "currentPassword" else error.reason
        return _profile(visit, {_FIELDS.get(error.field, error.field): reason}, HTTPStatus.BAD_REQUEST)
    except TooManyRequests as error:
        reason = f"too many tries. Try again in {waiting_words(error.retry_after)}"
        response = _profile(visit, {"current": reason}, HTTPStatus.TOO_MANY_REQUESTS)
        response.headers["retry-after"] = str(error.retry_after)
        return response
    response = redirect(PROFILE, done="password-changed")
    if device is not None:
        set_device_cookie(visit.context, response, device)
    return response


def do_end_session(visit: Visit) -> Response:
    """End one of one's other sessions."""
    sign_out(visit.deps, visit.actor, parse_id(visit.path["session_id"]))
    return redirect(PROFILE, done="session-ended")


def do_end_others(visit: Visit) -> Response:
    """End all other sessions."""
    sign_out_elsewhere(visit.deps, visit.actor, device=visit.device)
    return redirect(PROFILE, done="sessions-ended")


def movable(visit: Visit) -> list[ConfiguredProvider]:
    """Return the providers to which whoever is signed in can move their account."""
    if visit.user is None or not visit.user.is_local:
        return []
    return [each for each in visit.deps.providers.values() if each.redirect is not None or each.passwords is not None]


def _profile(visit: Visit, errors: dict[str, str], status: HTTPStatus = HTTPStatus.OK) -> Response:
    values = {
        "sessions": list_sessions(visit.deps, visit.actor),
        "current_id": visit.session.id if visit.session else None,
        "errors": errors,
        "done": visit.query.get("done"),
        "movable": movable(visit),
        "has_password": visit.user is not None and visit.user.is_local and visit.deps.local_sign_in,
    }
    return show(visit, "profile.html", values, status=status)


PAGES = (
    Page(path=PROFILE, get=show_profile),
    Page(path=f"{PROFILE}/password", post=do_change_password, hashes=True),
    Page(path=PROFILE + "/sessions/{session_id}/end", post=do_end_session),
    Page(path=f"{PROFILE}/end-other-sessions", post=do_end_others),
)
