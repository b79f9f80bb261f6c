"""Pages: sign in, sign out, and the page behind a one-time link."""

from http import HTTPStatus

from starlette.responses import Response

from gatepass.errors import InvalidInput, NotAuthenticated, NotFound, TooManyRequests, Unavailable
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.secret import Secret, generate_handle
from gatepass.server.log import get_logger
from gatepass.server.web.forms import safe_next
from gatepass.server.web.pages import HOME, SIGN_IN, Page, Visit, redirect, set_cookie, set_device_cookie, show
from gatepass.server.web.words import waiting_words
from gatepass.services.set_password import find_link_user, set_password
from gatepass.services.sign_in import sign_in
from gatepass.services.sign_out import sign_out
from gatepass.verifier.answer import bearer_challenge

_log = get_logger(__name__)
_CLEAR = '"cache", "storage"'


def show_sign_in(visit: Visit) -> Response:
    """Show the form, or go on if somebody is signed in already."""
    target = safe_next(visit.query.get("next"))
    if visit.user is not None:
        return redirect(target or HOME)
    return _form(visit, target=target, done=visit.query.get("done"))


def do_sign_in(visit: Visit) -> Response:
    """Check the password and start a session under a new handle."""
    email, password = visit.form.get("email", "").strip(), visit.form.get("password", "")
    target = safe_next(visit.form.get("next"))
    result = "refused"
    try:
        started = sign_in(
            visit.deps,
            email=email,
            password=Secret(password),
            address=visit.address,
            user_agent=visit.request.headers.get("user-agent"),
            request_id=visit.request_id,
            replaced=visit.session.id if visit.session else None,
            device=visit.device,
        )
        result = "ok"
    except NotAuthenticated:
        response = _form(visit, target=target, email=email, failed=True, status=HTTPStatus.UNAUTHORIZED)
        response.headers["www-authenticate"] = bearer_challenge(rejected=False)
        return response
    except TooManyRequests as error:
        result = "throttled"
        wait = error.retry_after
        response = _form(visit, target=target, email=email, wait=wait, status=HTTPStatus.TOO_MANY_REQUESTS)
        response.headers["retry-after"] = str(wait)
        return response
    finally:
        visit.context.metrics.sign_ins.labels("page", result).inc()
        _log.info("password checked", door="page", result=result, address=visit.address, request_id=visit.request_id)
    response = redirect(target or HOME)
    set_cookie(visit.context, response, started.handle)
    if started.device is not None:
        set_device_cookie(visit.context, response, started.device)
    return response


def show_failed(visit: Visit, provider: ConfiguredProvider) -> Response:
    """Say that a sign-in elsewhere did not work: the same whatever the reason."""
    response = _form(visit, target=None, failed_at=provider.name, status=HTTPStatus.UNAUTHORIZED)
    response.headers["www-authenticate"] = bearer_challenge(rejected=False)
    return response


def _form(
    visit: Visit,
    *,
    target: str | None,
    email: str = "",
    failed: bool = False,
    failed_at: str = "",
    wait: int = 0,
    done: str | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    directories = any(each.passwords for each in visit.deps.providers.values())
    values = {
        "next": target or "",
        "email": email,
        "failed": failed,
        "failed_at": failed_at,
        "directories": directories,
        "takes_passwords": directories or visit.deps.local_sign_in,
        "providers": [each for each in visit.deps.providers.values() if each.has_button],
        "wait": waiting_words(wait) if wait else "",
        "done": done,
    }
    return show(visit, "sign_in.html", values, status=status)


def do_sign_out(visit: Visit) -> Response:
    """End the session and forget it in the browser."""
    leaving = None
    if visit.session is not None:
        sign_out(visit.deps, visit.actor)
        leaving = _leaving(visit, visit.session.provider)
    response = leaving or redirect(SIGN_IN, done="signed-out")
    set_cookie(visit.context, response, generate_handle())
    response.headers["clear-site-data"] = _CLEAR
    return response


def _leaving(visit: Visit, provider_id: str) -> Response | None:
    """Return the page that leads on to the provider's own sign-out, if there is one to go to."""
    configured = visit.deps.providers.get(provider_id)
    if configured is None or configured.sign_out is None:
        return None
    try:
        url = configured.sign_out.sign_out_url(visit.context.public_url + SIGN_IN)
    except Unavailable:
        return None  # signed out here is what was asked for
    return show(visit, "going.html", {"target": url, "name": configured.name, "leaving": True}) if url else None


def show_set_password(visit: Visit) -> Response:
    """Show the form behind a one-time link. Looking does not use the link up."""
    link = visit.query.get("link", "")
    try:
        user = find_link_user(visit.deps, Secret(link))
    except NotFound:
        return _link_is_over(visit)
    return _password_form(visit, link, error="", email=user.email)


def do_set_password(visit: Visit) -> Response:
    """Set the password and use the link up."""
    try:
        return _set_password(visit, visit.form.get("link", ""), visit.form.get("password", ""))
    except NotFound:
        return _link_is_over(visit)


def _set_password(visit: Visit, link: str, new: str) -> Response:
    user = find_link_user(visit.deps, Secret(link))
    try:
        if new != visit.form.get("again", ""):
            raise InvalidInput("password", "the two are not the same")
        set_password(visit.deps, Secret(link), Secret(new), address=visit.address, request_id=visit.request_id)
    except InvalidInput as error:
        return _password_form(visit, link, error=error.reason, email=user.email, status=HTTPStatus.BAD_REQUEST)
    return redirect(SIGN_IN, done="password-set")


def _password_form(visit: Visit, link: str, *, error: str, email: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return show(visit, "set_password.html", {"link": link, "error": error, "email": email}, status=status)


def _link_is_over(visit: Visit) -> Response:
    values = {
        "status": HTTPStatus.NOT_FOUND.value,
        "title": "This link does not work any more",
        "details": "It was used, is too old, or never existed. Ask an administrator for a new one.",
        "back": None,
    }
    return show(visit, "error.html", values, status=HTTPStatus.NOT_FOUND)


PAGES = (
    Page(path=SIGN_IN, get=show_sign_in, post=do_sign_in, public=True, hashes=True),
    Page(path="/sign-out", post=do_sign_out, public=True),
    Page(path="/set-password", get=show_set_password, post=do_set_password, public=True, hashes=True),
)
