"""Pages: Settings > Access Tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from gatepass.errors import InvalidInput, NotAllowed, NotAuthenticated, NotFound, TooManyRequests
from gatepass.interfaces import Page as ListPage
from gatepass.model.rights import FULL_ACCESS, Rights, check_rights
from gatepass.model.secret import Secret, generate_handle
from gatepass.model.settings import MOST_DAYS, NO_MAXIMUM, SECONDS_A_DAY
from gatepass.model.token import NEVER_EXPIRES, Token, TokenStatus
from gatepass.server.parsing import parse_id
from gatepass.server.web.forms import whole_number
from gatepass.server.web.pages import HOME, Page, Visit, redirect, set_cookie, show
from gatepass.server.web.paging import Paging, chosen, paged
from gatepass.server.web.receipts import change_of, heard_of
from gatepass.server.web.sparkline import DAYS, UNUSED, Sparkline, sparklines
from gatepass.server.web.words import span, waiting_words
from gatepass.services.create_token import create_token
from gatepass.services.list_token_uses import list_token_uses
from gatepass.services.list_tokens import list_tokens
from gatepass.services.may_generate import Generating, may_generate
from gatepass.services.prove_session import prove_session
from gatepass.services.retry import Retry
from gatepass.services.revoke_token import revoke_token

GENERATE = f"{HOME}/generate"
_STATUSES: Mapping[str, TokenStatus | None] = {"all": None, **{status.value: status for status in TokenStatus}}
_RESTRICTIONS = ("scopes", "allowedNetworks", "audience")
_DEFAULT_DAYS = 30
_LONGEST_PREFIX = 200
_IN_USE = timedelta(days=30)
"""A token that was used so lately is said to be in use."""


@dataclass(frozen=True, slots=True)
class Row:
    """A token, what it is at this moment, and how it was used lately."""

    token: Token
    status: TokenStatus
    uses: Sparkline = UNUSED


@dataclass(frozen=True, slots=True)
class Wanted:
    """The token that the form asks for."""

    seconds: int
    description: str | None
    rights: Rights


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tokens of somebody a list shows."""

    word: str
    prefix: str

    @property
    def query(self) -> dict[str, str]:
        """The query that shows the same."""
        given = {"status": self.word if self.word != "all" else "", "q": self.prefix}
        return {name: value for name, value in given.items() if value}

    def at(self, address: str) -> str:
        """Return `address` with that query."""
        return f"{address}?{urlencode(self.query)}" if self.query else address


def filter_of(visit: Visit) -> Filter:
    """Read the filter of a list. Ids are shown with their head left out, and may be pasted like that."""
    prefix = visit.query.get("q", "").strip().lstrip("…")[:_LONGEST_PREFIX]
    return Filter(chosen(visit.query, "status", _STATUSES), prefix)


def show_tokens(visit: Visit) -> Response:
    """List one's own tokens, newest first."""
    generating = may_generate(visit.deps, visit.actor)
    values = list_values(visit, visit.user_id, HOME)
    return show(visit, "tokens.html", {**values, **_form_values(visit, generating), "done": visit.query.get("done")})


def list_values(visit: Visit, owner_id: UUID, address: str) -> dict[str, Any]:
    """Return what the template of a token list needs."""
    shown = filter_of(visit)

    def load(page: ListPage) -> Sequence[Token]:
        status, prefix = _STATUSES[shown.word], shown.prefix or None
        return list_tokens(
            visit.deps, visit.actor, owner_id=owner_id, page=page, status=status, prefix=prefix, by_tail=True
        )

    found: Paging[Token] = paged(
        visit.query, load, key=lambda token: token.id, parse=UUID, first=UUID(int=0), kept=shown.query
    )
    now = visit.now
    drawn = sparklines(list_token_uses(visit.deps, visit.actor, found.rows, days=DAYS), now)
    return {
        "full_access": FULL_ACCESS,
        "rows": [Row(token, token.status(now), drawn.get(token.id, UNUSED)) for token in found.rows],
        "paging": found,
        "status": shown.word,
        "q": shown.prefix,
        "address": address,
        "receipt": heard_of(visit),
        "statuses": [(word, word.capitalize()) for word in _STATUSES],
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
        wanted = _wanted(visit.form)
        return _created(visit, wanted) if generating.fresh else _prove_first(visit, generating, wanted)
    except InvalidInput as error:
        return _generate_form(visit, _errors(error, generating))


def _wanted(form: Mapping[str, str]) -> Wanted:
    days = whole_number(form, "lifetimeDays")
    return Wanted(
        seconds=NEVER_EXPIRES if days == NEVER_EXPIRES else days * SECONDS_A_DAY,
        description=form.get("description", "").strip() or None,
        # A field that is left empty restricts nothing.
        rights=check_rights(*(form.get(name, "").split() or None for name in _RESTRICTIONS)),
    )


def _errors(error: InvalidInput, generating: Generating) -> dict[str, str]:
    """Say it in days: the page asks for days, the use case takes seconds."""
    if error.field not in {"lifetimeDays", "lifetimeSeconds"}:
        return {error.field: error.reason}
    most = _most_days(generating)
    return {
        "lifetimeDays": f"must be a whole number from 1 to {most or MOST_DAYS}{'' if most else ', or -1 for never'}"
    }


def _most_days(generating: Generating) -> int | None:
    most = generating.settings.maximum_lifetime_days
    return most if most != NO_MAXIMUM else None


def _prove_first(visit: Visit, generating: Generating, wanted: Wanted) -> Response:
    """Check the password, then generate in the renewed session."""
    try:
        proven = prove_session(visit.deps, visit.actor, Secret(visit.form.get("password", "")), device=visit.device)
    except NotAuthenticated:
        return _generate_form(visit, {"password": "that is not your password"})
    except NotAllowed as error:
        return _generate_form(visit, {"password": str(error)})
    except TooManyRequests as error:
        wait = waiting_words(error.retry_after)
        return _generate_form(visit, {"password": f"too many tries. Try again in {wait}"})
    renewed = visit.with_session(proven.session, proven.handle)
    try:
        response = _created(renewed, wanted)
    except InvalidInput as error:
        response = _generate_form(renewed, _errors(error, generating))
    set_cookie(visit.context, response, proven.handle)
    return response


def _created(visit: Visit, wanted: Wanted) -> Response:
    # The form's own key makes a second click, or a reload, show the same token again.
    retry = Retry(visit.form.get("key", "") or generate_handle().reveal(), repr(wanted).encode())
    created = create_token(
        visit.deps,
        visit.actor,
        lifetime_seconds=wanted.seconds,
        description=wanted.description,
        rights=wanted.rights,
        retry=retry,
    )
    # SECURITY: the one place of the pages where the value of a token is revealed.
    return show(visit, "created.html", {"token": created.token, "value": created.value.reveal()})


def _generate_form(visit: Visit, errors: Mapping[str, str]) -> Response:
    generating = may_generate(visit.deps, visit.actor)
    status = HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK if generating.allowed else HTTPStatus.FORBIDDEN
    return show(visit, "generate.html", {**_form_values(visit, generating), "errors": errors}, status=status)


def _form_values(visit: Visit, generating: Generating) -> dict[str, Any]:
    most = _most_days(generating)
    days = visit.form.get("lifetimeDays", str(min(_DEFAULT_DAYS, most or _DEFAULT_DAYS)))
    return {
        "generating": generating,
        "most_days": most,
        "days": days,
        "never": days == str(NEVER_EXPIRES) and not most,
        "ends_at": _end(days, most or MOST_DAYS, now=visit.now),
        "description": visit.form.get("description", ""),
        "restrictions": {name: visit.form.get(name, "") for name in _RESTRICTIONS},
        "key": visit.form.get("key") or generate_handle().reveal(),
        "errors": {},
    }


def _end(days: str, most: int, *, now: datetime) -> datetime | None:
    """Return when a token of so many days would stop working, None if it cannot be made."""
    if not (days.isascii() and days.isdigit() and len(days) <= len(str(MOST_DAYS)) and 1 <= int(days) <= most):
        return None
    return now + timedelta(days=int(days))


def show_delete(visit: Visit) -> Response:
    """Ask before a token of one's own is deleted."""
    return confirm_delete(visit, visit.user_id, address=HOME)


def do_delete(visit: Visit) -> Response:
    """Delete a token of one's own."""
    return delete(visit, visit.user_id, address=HOME)


def confirm_delete(visit: Visit, owner_id: UUID, *, address: str, owner_name: str | None = None) -> Response:
    """Show what deleting a token would break. `address` is the list it stands in."""
    token = find_own(visit, owner_id)
    shown, now = filter_of(visit), visit.now
    unused = now - token.last_used_at if token.last_used_at else None
    values = {
        "row": Row(token, token.status(now)),
        "back": shown.at(address),
        "action": shown.at(f"{address}/{token.id}/delete"),
        "owner_name": owner_name,
        "unused_for": span(unused) if unused is not None and unused > _IN_USE else "",
    }
    return show(visit, "delete_token.html", values)


def delete(visit: Visit, owner_id: UUID, *, address: str) -> Response:
    """Delete the token of the path and go back to the list as it was."""
    token = find_own(visit, owner_id)
    had_expired = token.status(visit.now) is TokenStatus.EXPIRED
    revoke_token(visit.deps, visit.actor, token.id)
    done = "expired-token-deleted" if had_expired else "token-deleted"
    return redirect(address, **filter_of(visit).query, done=done, **change_of(visit))


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
