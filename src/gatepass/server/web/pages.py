"""What every page goes through: who is signed in, forms checked, templates rendered, errors shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gatepass.errors import Disabled, NotAuthenticated
from gatepass.model.actor import Actor
from gatepass.model.device import DEVICE_LIFETIME
from gatepass.model.secret import Secret, generate_handle
from gatepass.model.session import Session
from gatepass.model.user import User
from gatepass.server import problems
from gatepass.server.authentication import find_vouched_session, own_origin, session_actor
from gatepass.server.context import Context, context_of
from gatepass.server.parsing import query_of, read_body
from gatepass.server.web.forms import csrf_token, parse_form, require_own_form, safe_next
from gatepass.server.web.rendering import render
from gatepass.services.deps import Deps
from gatepass.verifier.answer import bearer_challenge
from gatepass.verifier.limits import BODY_BYTES

HOME = "/settings/access-tokens"
SIGN_IN = "/sign-in"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page, with whoever is signed in."""

    context: Context
    request: Request
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    handle: Secret
    """What the cookie holds: a session, or a mark of an unknown browser."""
    session: Session | None
    user: User | None

    @property
    def deps(self) -> Deps:
        """The installation."""
        return self.context.deps

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.deps.clock.now()

    @property
    def address(self) -> str | None:
        """The client's address."""
        return self.context.address_of(self.request)

    @property
    def request_id(self) -> str:
        """The id of the request."""
        found: str = self.request.state.request_id
        return found

    @property
    def device(self) -> Secret | None:
        """What the cookie says of an earlier sign-in in this browser."""
        text = self.request.cookies.get(self.context.device_cookie_name)
        return Secret(text) if text else None

    @property
    def actor(self) -> Actor:
        """Who acts. Raises NotAuthenticated if nobody is signed in."""
        if self.session is None or self.user is None:
            raise NotAuthenticated
        return session_actor(self.session, self.user, address=self.address, request_id=self.request_id)

    @property
    def user_id(self) -> UUID:
        """Who is signed in. Raises NotAuthenticated if nobody is."""
        if self.user is None:
            raise NotAuthenticated
        return self.user.id

    def with_session(self, session: Session, handle: Secret) -> "Visit":
        """Return the same visit in another session of the same user."""
        return replace(self, session=session, handle=handle)


Handler = Callable[[Visit], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: what to show, and what to do with its form."""

    path: str
    get: Handler | None = None
    post: Handler | None = None
    public: bool = False
    """Shown to people who are not signed in."""
    hashes: bool = False
    """Whether its form may carry a password."""
    from_elsewhere: bool = False
    """Whether other sites post to it. What they send proves nothing; the handler holds it against its own cookie."""
    most_bytes: int = BODY_BYTES
    """How long a form may be."""


class PageRoute(Route):
    """A Starlette route for one page. It answers every method itself, so that errors look alike."""

    def __init__(self, page: Page) -> None:
        """Serve `page`."""
        super().__init__(page.path, endpoint=self._answer)
        self.methods = None
        self._page = page

    async def _answer(self, request: Request) -> Response:
        request.state.route = self.path
        try:
            # R13: a token opens no page, and neither does any other Authorization header.
            if "authorization" in request.headers:
                raise NotAuthenticated
            posted = request.method == "POST"
            handler = self._page.post if posted else self._page.get
            if handler is None or request.method not in {"GET", "HEAD", "POST"}:
                methods = [*(["GET", "HEAD"] if self._page.get else []), *(["POST"] if self._page.post else [])]
                raise problems.MethodNotAllowed(", ".join(methods))
            body = await read_body(request, most=self._page.most_bytes) if posted else b""
            pool = context_of(request).hashing if posted and self._page.hashes else context_of(request).work
            return await pool.run(lambda: self._visited(request, handler, body))
        except Exception as error:  # noqa: BLE001  every error becomes a page
            return error_page(request, error, None)

    def _visited(self, request: Request, handler: Handler, body: bytes) -> Response:
        visit = visit_of(request)
        try:
            posted = request.method == "POST"
            visit = replace(visit, query=query_of(request), form=parse_form(request, body) if posted else {})
            if posted and not self._page.from_elsewhere:
                known = visit.context.cookie_name in request.cookies
                require_own_form(visit.context, request, visit.form, visit.handle if known else None)
            if visit.user is not None:
                request.state.actor = visit.actor
            elif not self._page.public:
                raise NotAuthenticated
            return _keeping_cookie(visit, handler(visit))
        except NotAuthenticated:
            return to_sign_in(request)
        except Disabled:
            return show(
                visit, "tokens_off.html", status=HTTPStatus.CONFLICT if request.method == "POST" else HTTPStatus.OK
            )
        except Exception as error:  # noqa: BLE001
            return error_page(request, error, visit)


def visit_of(request: Request) -> Visit:
    """Return who came, with neither query nor form read yet. Blocks: call it in a thread."""
    context = context_of(request)
    text = request.cookies.get(context.cookie_name)
    handle = Secret(text) if text else generate_handle()
    found = find_vouched_session(context, request, handle) if text else None
    return Visit(
        context=context,
        request=request,
        path=request.path_params,
        query={},
        form={},
        handle=handle,
        session=found[0] if found else None,
        user=found[1] if found else None,
    )


def _keeping_cookie(visit: Visit, response: Response) -> Response:
    """Mark a browser that has no cookie yet, so that its forms can be told from others'."""
    if visit.context.cookie_name not in visit.request.cookies and "set-cookie" not in response.headers:
        set_cookie(visit.context, response, visit.handle)
    return response


def set_cookie(context: Context, response: Response, handle: Secret) -> None:
    """Give the browser a handle. It goes when the browser is closed, and the server forgets it sooner."""
    response.set_cookie(
        context.cookie_name, handle.reveal(), path="/", secure=context.is_https, httponly=True, samesite="lax"
    )


def set_device_cookie(context: Context, response: Response, handle: Secret) -> None:
    """Let the browser be known at later sign-ins, also after this one is over."""
    response.set_cookie(
        context.device_cookie_name,
        handle.reveal(),
        max_age=int(DEVICE_LIFETIME.total_seconds()),
        path="/",
        secure=context.is_https,
        httponly=True,
        samesite="strict",
    )


def show(
    visit: Visit, template: str, values: Mapping[str, Any] | None = None, *, status: int = HTTPStatus.OK
) -> Response:
    """Render a page for this visit."""
    return _rendered(visit.request, visit, template, values or {}, status)


def _rendered(request: Request, visit: Visit | None, template: str, values: Mapping[str, Any], status: int) -> Response:
    context = context_of(request)
    shared: dict[str, Any] = {
        "user": visit.user if visit else None,
        "now": context.deps.clock.now(),
        "csrf": csrf_token(visit.handle) if visit else "",
        "path": request.url.path,
        "public_url": context.public_url,
        # What is fetched into a dialog is a part of another page, which has its own first heading.
        "level": 2 if "hx-request" in request.headers else 1,
    }
    content = render(template, {**shared, **values})
    headers = {"cache-control": "no-store", "content-type": "text/html; charset=utf-8"}
    return Response(content, status, headers)


def redirect(target: str, **query: str) -> Response:
    """Send the browser on with a GET, after a form was done."""
    return RedirectResponse(target + (f"?{urlencode(query)}" if query else ""), HTTPStatus.SEE_OTHER)


def to_sign_in(request: Request) -> Response:
    """Send somebody who is not signed in to the sign-in page, and back afterwards."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method == "POST" or target in {"/", HOME}:
        return redirect(SIGN_IN)
    return RedirectResponse(f"{SIGN_IN}?next={quote(target, safe='')}", HTTPStatus.SEE_OTHER)


def error_page(request: Request, error: Exception, visit: Visit | None) -> Response:
    """Show an error as a page."""
    request.state.error = error
    problem = problems.problem_of(error)
    values = {
        "status": problem.status,
        "title": _TITLES.get(problem.status, problem.message),
        "details": problems.details_of(error),
        "back": _came_from(request),
    }
    if visit and visit.user and problem is problems.ROUTE_NOT_FOUND:
        values["details"] = "Nothing is at this address. It may have moved, or the link is incomplete."
    try:
        response = _rendered(request, visit, "error.html", values, problem.status)
    except Exception:  # noqa: BLE001  whatever broke the page may break this one too
        response = Response(f"{values['title']}. {values['details']}", problem.status, media_type="text/plain")
    for name, value in problems.headers_of(error).items():
        response.headers[name] = value
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["www-authenticate"] = bearer_challenge(rejected=False)
    return response


def _came_from(request: Request) -> str | None:
    """Return the page of ours where the link to this one was followed, if the browser says so."""
    try:
        found = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return None
    if f"{found.scheme}://{found.netloc}" not in {context_of(request).public_url, own_origin(request)}:
        return None
    target = safe_next(found.path + (f"?{found.query}" if found.query else ""))
    return target if found.path != request.url.path else None


_TITLES = {
    400: "That cannot be read",
    401: "A token opens no page",
    403: "This is not for you",
    404: "There is nothing here",
    405: "This page does not do that",
    409: "That cannot be done",
    410: "It is gone",
    429: "Too many tries",
    503: "Gatepass cannot answer just now",
}
