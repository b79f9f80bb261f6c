"""REST: people."""

from http import HTTPStatus

from msgspec import UNSET

from gatepass.errors import NotAuthenticated
from gatepass.model.instant import iso
from gatepass.model.secret import Secret
from gatepass.server.api import shapes
from gatepass.server.api.receipts import PREFER, with_receipt
from gatepass.server.api.routing import Answer, Call, Operation
from gatepass.server.links import set_password_url
from gatepass.server.parsing import parse_id, parse_page
from gatepass.services.change_password import change_password
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_user import create_user
from gatepass.services.delete_user import delete_user
from gatepass.services.get_user import get_user
from gatepass.services.list_users import list_users


def current(call: Call) -> Answer:
    """Return the caller."""
    if call.actor.user_id is None:
        raise NotAuthenticated
    return Answer(shapes.Person(**shapes.person_fields(get_user(call.deps, call.actor, call.actor.user_id))))


def list_(call: Call) -> Answer:
    """List people."""
    page = parse_page(call.query)
    found = list_users(call.deps, call.actor, page=page, prefix=call.query.get("q") or None)
    link = shapes.next_link("/v4/people", dict(call.query), page, found, found[-1].id if found else "")
    return Answer(shapes.PersonList([shapes.Person(**shapes.person_fields(user)) for user in found]), headers=link)


def create(call: Call) -> Answer:
    """Add somebody."""
    body: shapes.CreatePersonBody = call.body
    created = create_user(
        call.deps,
        call.actor,
        email=body.email,
        name=body.name,
        password=Secret(body.password) if body.password is not None else None,
        is_admin=body.is_admin,
    )
    # SECURITY: the one place of the API where a one-time link is revealed.
    url = set_password_url(call.context, created.link) if created.link else UNSET
    person = shapes.CreatedPerson(**shapes.person_fields(created.user), set_password_url=url)
    return Answer(person, HTTPStatus.CREATED)


def get(call: Call) -> Answer:
    """Return somebody."""
    return Answer(shapes.Person(**shapes.person_fields(get_user(call.deps, call.actor, parse_id(call.path["id"])))))


def change(call: Call) -> Answer:
    """Change somebody."""
    body: shapes.ChangePersonBody = call.body
    given = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
    user = change_user(call.deps, call.actor, parse_id(call.path["id"]), UserChanges(**given))
    return Answer(shapes.ChangedPerson(str(user.id), iso(user.updated_at)))


def delete(call: Call) -> Answer:
    """Delete somebody."""
    delete_user(call.deps, call.actor, parse_id(call.path["id"]))
    return with_receipt(call, Answer(status=HTTPStatus.NO_CONTENT))


def put_password(call: Call) -> Answer:
    """Change the caller's password."""
    body: shapes.ChangePasswordBody = call.body
    change_password(call.deps, call.actor, current=Secret(body.current_password), new=Secret(body.new_password))
    return Answer(status=HTTPStatus.NO_CONTENT)


_PREFIX = {
    "name": "q",
    "in": "query",
    "description": "The start of the e-mail address or the name, without case.",
    "schema": {"type": "string"},
}
_ALL, _ONE = "/v4/people", "/v4/people/{id}"

ROUTES = (
    Operation(
        method="GET",
        path="/v4/people/current",
        handler=current,
        summary="Get yourself.",
        tag="people",
        returns=shapes.Person,
    ),
    Operation(
        method="PUT",
        path="/v4/people/current/password",
        handler=put_password,
        summary="Change your password. Your other sessions end, your tokens stay.",
        tag="people",
        body=shapes.ChangePasswordBody,
        status=HTTPStatus.NO_CONTENT,
        hashes=True,
    ),
    Operation(
        method="GET",
        path=_ALL,
        handler=list_,
        summary="List people, oldest first (administrators).",
        tag="people",
        returns=shapes.PersonList,
        parameters=[*shapes.page_parameters("id"), _PREFIX],
    ),
    Operation(
        method="POST",
        path=_ALL,
        handler=create,
        summary="Add somebody (administrators).",
        tag="people",
        body=shapes.CreatePersonBody,
        status=HTTPStatus.CREATED,
        returns=shapes.CreatedPerson,
        errors=[HTTPStatus.CONFLICT],
        hashes=True,
    ),
    Operation(
        method="GET",
        path=_ONE,
        handler=get,
        summary="Get somebody: yourself, or anybody for administrators.",
        tag="people",
        returns=shapes.Person,
    ),
    Operation(
        method="PATCH",
        path=_ONE,
        handler=change,
        summary="Change somebody: your own name, or anything of anybody for administrators.",
        tag="people",
        body=shapes.ChangePersonBody,
        returns=shapes.ChangedPerson,
        errors=[HTTPStatus.CONFLICT],
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        handler=delete,
        summary="Delete somebody; their tokens are dead for good (administrators).",
        tag="people",
        status=HTTPStatus.NO_CONTENT,
        parameters=[PREFER],
        receipt=shapes.Receipt,
        errors=[HTTPStatus.CONFLICT],
    ),
)
