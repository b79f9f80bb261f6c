"""Pages: People, for administrators."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from uuid import UUID

from starlette.responses import Response

from gatepass.errors import Conflict, InvalidInput
from gatepass.interfaces import Page as ListPage
from gatepass.interfaces import UserFilter
from gatepass.model.secret import Secret
from gatepass.model.user import User
from gatepass.server.links import set_password_url
from gatepass.server.parsing import parse_id
from gatepass.server.web.forms import checkbox
from gatepass.server.web.pages import HOME, SIGN_IN, Page, Visit, redirect, show
from gatepass.server.web.paging import Paging, chosen, paged
from gatepass.server.web.tokens import confirm_delete, delete, list_values
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_user import create_user
from gatepass.services.delete_user import delete_user
from gatepass.services.find_passwordless import find_passwordless
from gatepass.services.get_user import get_user
from gatepass.services.is_last_admin import is_last_admin
from gatepass.services.is_needed_to_recover import is_needed_to_recover
from gatepass.services.issue_password_link import issue_password_link
from gatepass.services.list_users import list_users
from gatepass.services.local_sign_in import require_local_sign_in

PEOPLE = "/admin/people"
_ONE = PEOPLE + "/{id}"
_FILTERS: dict[str, UserFilter | None] = {"all": None, "admins": "admins", "disabled": "disabled"}


def show_people(visit: Visit) -> Response:
    """List people, newest first."""
    word = chosen(visit.query, "show", _FILTERS)
    prefix = visit.query.get("q", "").strip()[:200]

    def load(page: ListPage) -> Sequence[User]:
        return list_users(visit.deps, visit.actor, page=page, prefix=prefix or None, only=_FILTERS[word])

    kept = {"show": word if word != "all" else "", "q": prefix}
    found: Paging[User] = paged(visit.query, load, key=lambda user: user.id, parse=UUID, first=UUID(int=0), kept=kept)
    values = {
        "paging": found,
        "passwordless": find_passwordless(visit.deps, visit.actor, [user.id for user in found.rows]),
        "local_sign_in": visit.deps.local_sign_in,
        "only": word,
        "q": prefix,
        "done": visit.query.get("done"),
    }
    return show(visit, "people.html", values)


def show_add(visit: Visit) -> Response:
    """Show the form for another person."""
    list_users(visit.deps, visit.actor, page=ListPage(limit=1))  # for administrators only
    require_local_sign_in(visit.deps)
    return _add_form(visit, {})


def do_add(visit: Visit) -> Response:
    """Add somebody and show their one-time link, this once."""
    require_local_sign_in(visit.deps)
    email, name = visit.form.get("email", "").strip(), visit.form.get("name", "").strip()
    try:
        created = create_user(
            visit.deps, visit.actor, email=email, name=name or None, is_admin=checkbox(visit.form, "isAdmin")
        )
    except InvalidInput as error:
        return _add_form(visit, {error.field: error.reason}, HTTPStatus.BAD_REQUEST)
    except Conflict:
        return _add_form(visit, {"email": "somebody has this address already"}, HTTPStatus.CONFLICT)
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
    try:
        link = issue_password_link(visit.deps, visit.actor, person.id)
    except Conflict:
        return _question(visit, person, question="link", status=HTTPStatus.CONFLICT)
    return _show_link(visit, person, link)


def _asking(question: str) -> Callable[[Visit], Response]:
    """Return a handler that asks before something is done to a person."""

    def ask(visit: Visit) -> Response:
        list_users(visit.deps, visit.actor, page=ListPage(limit=1))  # for administrators only
        return _question(visit, _person(visit), question=question)

    return ask


def _question(visit: Visit, person: User, *, question: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Ask, or say that it cannot be done."""
    values = {
        "person": person,
        "question": question,
        "is_own": person.id == visit.user_id,
        "refused": _refusal(visit, person, question=question),
    }
    return show(visit, "ask_person.html", values, status=status)


def _refusal(visit: Visit, person: User, *, question: str) -> str:
    """Return why something cannot be done to a person, in a word that the template knows; or nothing."""
    if question == "link" and not visit.deps.local_sign_in:
        return "local-off"
    if question == "link" and not find_passwordless(visit.deps, visit.actor, [person.id]):
        return "has-password"
    if question in {"disable", "demote", "delete"} and is_last_admin(visit.deps, visit.actor, person.id):
        return "last-admin"
    if question in {"demote", "delete"} and is_needed_to_recover(visit.deps, visit.actor, person.id):
        return "last-to-recover"
    return ""


def _changing(question: str, changes: UserChanges, *, done: str) -> Callable[[Visit], Response]:
    """Return a handler that changes a person and goes back to the list."""

    def change(visit: Visit) -> Response:
        person = _person(visit)
        try:
            change_user(visit.deps, visit.actor, person.id, changes)
        except Conflict:
            return _question(visit, person, question=question, status=HTTPStatus.CONFLICT)
        if person.id == visit.user_id and changes.is_admin is False:
            return redirect(HOME, done="own-rights-given-up")
        return _after(visit, person, done=done, is_gone=changes.is_disabled is True)

    return change


def do_delete(visit: Visit) -> Response:
    """Delete somebody for good."""
    person = _person(visit)
    try:
        delete_user(visit.deps, visit.actor, person.id)
    except Conflict:
        return _question(visit, person, question="delete", status=HTTPStatus.CONFLICT)
    return _after(visit, person, done="person-deleted", is_gone=True)


def _after(visit: Visit, person: User, *, done: str, is_gone: bool) -> Response:
    """Go back to the list; whoever shut themselves out is signed out."""
    if is_gone and person.id == visit.user_id:
        return redirect(SIGN_IN, done="signed-out")
    return redirect(PEOPLE, done=done)


def show_tokens(visit: Visit) -> Response:
    """List somebody's tokens."""
    person = _person(visit)
    address = f"{PEOPLE}/{person.id}/access-tokens"
    values = list_values(visit, person.id, address)
    return show(visit, "person_tokens.html", {**values, "person": person, "done": visit.query.get("done")})


def show_delete_token(visit: Visit) -> Response:
    """Ask before somebody's token is deleted."""
    person = _person(visit)
    return confirm_delete(visit, person.id, address=f"{PEOPLE}/{person.id}/access-tokens", owner_name=person.email)


def do_delete_token(visit: Visit) -> Response:
    """Delete somebody's token."""
    person = _person(visit)
    return delete(visit, person.id, address=f"{PEOPLE}/{person.id}/access-tokens")


def _person(visit: Visit) -> User:
    return get_user(visit.deps, visit.actor, parse_id(visit.path["id"]))


_CHANGES = (
    ("disable", UserChanges(is_disabled=True), "person-disabled"),
    ("enable", UserChanges(is_disabled=False), "person-enabled"),
    ("promote", UserChanges(is_admin=True), "person-changed"),
    ("demote", UserChanges(is_admin=False), "person-changed"),
)

PAGES = (
    Page(path=PEOPLE, get=show_people),
    Page(path=f"{PEOPLE}/add", get=show_add, post=do_add),
    Page(path=f"{_ONE}/link", get=_asking("link"), post=do_link),
    *(
        Page(path=f"{_ONE}/{question}", get=_asking(question), post=_changing(question, changes, done=done))
        for question, changes, done in _CHANGES
    ),
    Page(path=f"{_ONE}/delete", get=_asking("delete"), post=do_delete),
    Page(path=f"{_ONE}/access-tokens", get=show_tokens),
    Page(path=_ONE + "/access-tokens/{token_id}/delete", get=show_delete_token, post=do_delete_token),
)
