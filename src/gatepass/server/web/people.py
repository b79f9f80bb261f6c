"""Pages: People, for administrators."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from uuid import UUID

from starlette.responses import Response

from gatepass.errors import Conflict, Disabled, InvalidInput
from gatepass.interfaces import Page as ListPage
from gatepass.interfaces import UserFilter
from gatepass.model.secret import Secret
from gatepass.model.user import User
from gatepass.server.links import set_password_url
from gatepass.server.parsing import parse_choice, parse_id
from gatepass.server.web.forms import checkbox
from gatepass.server.web.pages import Page, Visit, redirect, show
from gatepass.server.web.paging import Paging, paged
from gatepass.server.web.tokens import confirm_delete, find_own, list_values
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_user import create_user
from gatepass.services.delete_user import delete_user
from gatepass.services.get_user import get_user
from gatepass.services.issue_password_link import issue_password_link
from gatepass.services.list_users import list_users
from gatepass.services.revoke_token import revoke_token

PEOPLE = "/admin/people"
_ONE = PEOPLE + "/{id}"
_FILTERS: dict[str, UserFilter | None] = {"all": None, "admins": "admins", "disabled": "disabled"}


def show_people(visit: Visit) -> Response:
    """List people, newest first."""
    only = parse_choice(visit.query, "show", _FILTERS, default="all")
    prefix = visit.query.get("q", "").strip()[:200]

    def load(page: ListPage) -> Sequence[User]:
        return list_users(visit.deps, visit.actor, page=page, prefix=prefix or None, only=only)

    found: Paging[User] = paged(visit.query, load, key=lambda user: user.id, parse=UUID, first=UUID(int=0))
    values = {"paging": found, "only": visit.query.get("show", "all"), "q": prefix, "done": visit.query.get("done")}
    return show(visit, "people.html", values)


def show_add(visit: Visit) -> Response:
    """Show the form for another person."""
    list_users(visit.deps, visit.actor, page=ListPage(limit=1))  # for administrators only
    return _add_form(visit, {})


def do_add(visit: Visit) -> Response:
    """Add somebody and show their one-time link, this once."""
    email, name = visit.form.get("email", "").strip(), visit.form.get("name", "").strip()
    try:
        created = create_user(
            visit.deps, visit.actor, email=email, name=name or None, is_admin=checkbox(visit.form, "isAdmin")
        )
    except InvalidInput as error:
        return _add_form(visit, {error.field: error.reason}, HTTPStatus.BAD_REQUEST)
    except Conflict:
        return _add_form(visit, {"email": "belongs to somebody already"}, HTTPStatus.CONFLICT)
    return _show_link(visit, created.user, created.link)


def _add_form(visit: Visit, errors: dict[str, str], status: HTTPStatus = HTTPStatus.OK) -> Response:
    return show(visit, "add_person.html", {"form": visit.form, "errors": errors}, status=status)


def _show_link(visit: Visit, user: User, link: Secret | None) -> Response:
    # SECURITY: the one place of the pages where a one-time link is revealed.
    url = set_password_url(visit.context, link) if link else ""
    return show(visit, "person_link.html", {"person": user, "url": url})


def do_link(visit: Visit) -> Response:
    """Make another one-time link for somebody without a password."""
    person = _person(visit)
    return _show_link(visit, person, issue_password_link(visit.deps, visit.actor, person.id))


def _asking(question: str) -> Callable[[Visit], Response]:
    """Return a handler that asks before something is done to a person."""

    def ask(visit: Visit) -> Response:
        list_users(visit.deps, visit.actor, page=ListPage(limit=1))  # for administrators only
        return show(visit, "ask_person.html", {"person": _person(visit), "question": question})

    return ask


def _changing(changes: UserChanges, done: str) -> Callable[[Visit], Response]:
    """Return a handler that changes a person and goes back to the list."""

    def change(visit: Visit) -> Response:
        change_user(visit.deps, visit.actor, _person(visit).id, changes)
        return redirect(PEOPLE, done=done)

    return change


def do_delete(visit: Visit) -> Response:
    """Delete somebody for good."""
    delete_user(visit.deps, visit.actor, _person(visit).id)
    return redirect(PEOPLE, done="person-deleted")


def show_tokens(visit: Visit) -> Response:
    """List somebody's tokens."""
    person = _person(visit)
    address = f"{PEOPLE}/{person.id}/access-tokens"
    try:
        values = list_values(visit, person.id, address)
    except Disabled:
        return show(visit, "tokens_off.html")
    return show(visit, "person_tokens.html", {**values, "person": person, "done": visit.query.get("done")})


def show_delete_token(visit: Visit) -> Response:
    """Ask before somebody's token is deleted."""
    person = _person(visit)
    return confirm_delete(visit, person.id, back=f"{PEOPLE}/{person.id}/access-tokens", owner_name=person.email)


def do_delete_token(visit: Visit) -> Response:
    """Delete somebody's token."""
    person = _person(visit)
    revoke_token(visit.deps, visit.actor, find_own(visit, person.id).id)
    return redirect(f"{PEOPLE}/{person.id}/access-tokens", done="token-deleted")


def _person(visit: Visit) -> User:
    return get_user(visit.deps, visit.actor, parse_id(visit.path["id"]))


PAGES = (
    Page(path=PEOPLE, get=show_people),
    Page(path=f"{PEOPLE}/add", get=show_add, post=do_add),
    Page(path=f"{_ONE}/link", get=_asking("link"), post=do_link),
    Page(
        path=f"{_ONE}/disable",
        get=_asking("disable"),
        post=_changing(UserChanges(is_disabled=True), "person-disabled"),
    ),
    Page(
        path=f"{_ONE}/enable",
        get=_asking("enable"),
        post=_changing(UserChanges(is_disabled=False), "person-enabled"),
    ),
    Page(
        path=f"{_ONE}/promote",
        get=_asking("promote"),
        post=_changing(UserChanges(is_admin=True), "person-changed"),
    ),
    Page(
        path=f"{_ONE}/demote",
        get=_asking("demote"),
        post=_changing(UserChanges(is_admin=False), "person-changed"),
    ),
    Page(path=f"{_ONE}/delete", get=_asking("delete"), post=do_delete),
    Page(path=f"{_ONE}/access-tokens", get=show_tokens),
    Page(path=_ONE + "/access-tokens/{token_id}/delete", get=show_delete_token, post=do_delete_token),
)
