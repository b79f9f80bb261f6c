"""Pages: Settings > Access Tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from starlette.responses import Response

from gatepass.errors import Disabled, InvalidInput, NotAuthenticated, NotFound, TooManyRequests
from gatepass.interfaces import Page as ListPage
from gatepass.model.secret import Secret, generate_handle
from gatepass.model.settings import NO_MAXIMUM, SECONDS_A_DAY, Settings
from gatepass.model.token import NEVER_EXPIRES, Token, TokenStatus
from gatepass.server.parsing import parse_choice, parse_id
from gatepass.server.web.forms import whole_number
from gatepass.server.web.pages import HOME, Page, Visit, redirect, set_cookie, show
from gatepass.server.web.paging import Paging, paged
from gatepass.services.create_token import create_token
from gatepass.services.list_tokens import list_tokens
from gatepass.services.may_generate import Generating, may_generate
from gatepass.services.prove_session import prove_session
from gatepass.services.retry import Retry
from gatepass.services.revoke_token import revoke_token

GENERATE = f"{HOME}/generate"
_STATUSES: Mapping[str, TokenStatus | None] = {"all": None, **{status.value: status for status in TokenStatus}}
_DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A token and what it is at this moment."""

    token: Token
    status: TokenStatus


def show_tokens(visit: Visit) -> Response:
    """List one's own tokens, newest first."""
    try:
        generating = may_generate(visit.deps, visit.actor)
        values = list_values(visit, visit.user_id, HOME)
    except Disabled:
        return show(visit, "tokens_off.html")
    return show(visit, "tokens.html", {**values, **_form_values(visit, generating), "done": visit.query.get("done")})


def list_values(visit: Visit, owner_id: UUID, address: str) -> dict[str, Any]:
    """Return what the template of a token list needs."""
    query = visit.query
    status = parse_choice(query, "status", _STATUSES, default="all")
    prefix = query.get("q", "").strip()[:200]

    def load(page: ListPage) -> Sequence[Token]:
        return list_tokens(
            visit.deps, visit.actor, owner_id=owner_id, page=page, status=status, prefix=prefix or None, by_tail=True
        )

    found: Paging[Token] = paged(query, load, key=lambda token: token.id, parse=UUID, first=UUID(int=0))
    now = visit.now
    return {
        "rows": [Row(token, token.status(now)) for token in found.rows],
        "paging": found,
        "status": query.get("status", "all"),
        "q": prefix,
        "address": address,
    }


def show_generate(visit: Visit) -> Response:
    """Show the form as a page."""
    return _generate_form(visit, {})


def do_generate(visit: Visit) -> Response:
    """Generate a token and show its value, this once. Sending the form again shows it again."""
    generating = may_generate(visit.deps, visit.actor)
    if not generating.allowed:
        return _generate_form(visit, {})
    try:
        days = whole_number(visit.form, "lifetimeDays")
        seconds = NEVER_EXPIRES if days == NEVER_EXPIRES else days * SECONDS_A_DAY
        description = visit.form.get("description", "").strip() or None
        if not generating.fresh:
            return _prove_first(visit, seconds, description)
        return _created(visit, seconds, description)
    except InvalidInput as error:
        return _generate_form(visit, {_FIELDS.get(error.field, error.field): _reason(error)})


_FIELDS = {"lifetimeSeconds": "lifetimeDays"}


def _reason(error: InvalidInput) -> str:
    if error.field == "lifetimeSeconds":
        return "must be 1 or more days, at most what your administrator allows, or -1 for never"
    return error.reason


def _prove_first(visit: Visit, seconds: int, description: str | None) -> Response:
    """Check the password, then generate in the renewed session."""
    try:
        proven = prove_session(visit.deps, visit.actor, Secret(visit.form.get("password", "")))
    except NotAuthenticated:
        return _generate_form(visit, {"password": "is not your password"})
    except TooManyRequests as error:
        return _generate_form(visit, {"password": f"was wrong too often; try again in {error.retry_after} s"})
    renewed = visit.with_session(proven.session, proven.handle)
    try:
        response = _created(renewed, seconds, description)
    except InvalidInput as error:
        response = _generate_form(renewed, {_FIELDS.get(error.field, error.field): _reason(error)})
    set_cookie(visit.context, response, proven.handle)
    return response


def _created(visit: Visit, seconds: int, description: str | None) -> Response:
    # The form's own key makes a second click, or a reload, show the same token again.
    retry = Retry(visit.form.get("key", "") or generate_handle().reveal(), f"{seconds}\n{description}".encode())
    created = create_token(visit.deps, visit.actor, lifetime_seconds=seconds, description=description, retry=retry)
    # SECURITY: the one place of the pages where the value of a token is revealed.
    return show(visit, "created.html", {"token": created.token, "value": created.value.reveal()})


def _generate_form(visit: Visit, errors: Mapping[str, str]) -> Response:
    generating = may_generate(visit.deps, visit.actor)
    status = HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK if generating.allowed else HTTPStatus.FORBIDDEN
    return show(visit, "generate.html", {**_form_values(visit, generating), "errors": errors}, status=status)


def _form_values(visit: Visit, generating: Generating) -> dict[str, Any]:
    settings: Settings = generating.settings
    limited = settings.maximum_lifetime_days != NO_MAXIMUM
    most = settings.maximum_lifetime_days if limited else None
    return {
        "generating": generating,
        "most_days": most,
        "days": visit.form.get("lifetimeDays", str(min(_DEFAULT_DAYS, most or _DEFAULT_DAYS))),
        "description": visit.form.get("description", ""),
        "key": visit.form.get("key") or generate_handle().reveal(),
        "errors": {},
    }


def show_delete(visit: Visit) -> Response:
    """Ask before a token of one's own is deleted."""
    return confirm_delete(visit, visit.user_id, back=HOME)


def do_delete(visit: Visit) -> Response:
    """Delete a token of one's own."""
    token = find_own(visit, visit.user_id)
    revoke_token(visit.deps, visit.actor, token.id)
    return redirect(HOME, done="token-deleted")


def confirm_delete(visit: Visit, owner_id: UUID, *, back: str, owner_name: str | None = None) -> Response:
    """Show what deleting a token would break."""
    token = find_own(visit, owner_id)
    values = {"row": Row(token, token.status(visit.now)), "back": back, "owner_name": owner_name}
    return show(visit, "delete_token.html", values)


def find_own(visit: Visit, owner_id: UUID) -> Token:
    """Return the token of the path, if it is of that owner and not deleted."""
    token_id = parse_id(visit.path["token_id"])
    found = list_tokens(visit.deps, visit.actor, owner_id=owner_id, page=ListPage(limit=1), prefix=str(token_id))
    if not found or found[0].id != token_id:
        raise NotFound("there is no such token; it may have been deleted")
    return found[0]


PAGES = (
    Page(path=HOME, get=show_tokens),
    Page(path=GENERATE, get=show_generate, post=do_generate, hashes=True),
    Page(path=HOME + "/{token_id}/delete", get=show_delete, post=do_delete),
)
