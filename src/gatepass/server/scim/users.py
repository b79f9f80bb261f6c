"""The handlers of `/scim/v2/Users`: what SCIM asks, in the words of the use cases."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from gatepass.errors import InvalidInput
from gatepass.model.user import User
from gatepass.server.parsing import parse_id
from gatepass.server.scim.attributes import USER_SCHEMA, read_attributes
from gatepass.server.scim.call import Answer, Call
from gatepass.server.scim.filtering import read_filter, read_page
from gatepass.server.scim.names import emails_of
from gatepass.server.scim.patching import SCHEMA as PATCH_SCHEMA
from gatepass.server.scim.patching import read_patch
from gatepass.server.scim.people import list_of, location_of, pushed_in, resource_of, subject_of
from gatepass.server.scim.problems import InvalidSyntax
from gatepass.services.change_pushed_user import change_pushed_user
from gatepass.services.delete_pushed_user import delete_pushed_user
from gatepass.services.get_pushed_user import get_pushed_user
from gatepass.services.list_pushed_users import list_pushed_users
from gatepass.services.push_user import push_user


def list_users(call: Call) -> Answer:
    """List people, or find one."""
    page, start = read_page(call.query)
    attribute, wanted = read_filter(call.query) or ("", "")
    emails = emails_of(wanted, call.configured.id) if attribute == "username" else None
    subject = subject_of(wanted, call.configured) if attribute == "externalid" else None
    found = list_pushed_users(call.deps, call.actor, page, emails=emails, subject=subject)
    return Answer(list_of([_resource(call, each) for each in found.users], total=found.total, start=start))


def list_groups(call: Call) -> Answer:  # noqa: ARG001  there are none, whatever is asked
    """List groups: none are pushed, and some directories look all the same."""
    return Answer(list_of([], total=0))


def create(call: Call) -> Answer:
    """Add somebody."""
    _require_schema(call.body, USER_SCHEMA)
    attributes = read_attributes(call.body)
    for name in ("userName", "externalId"):
        if attributes.get(name) is None:
            raise InvalidInput(name, "is required")
    user = push_user(call.deps, call.actor, pushed_in(attributes, call.configured))
    return _told(call, user, HTTPStatus.CREATED)


def get(call: Call) -> Answer:
    """Return somebody."""
    return _told(call, get_pushed_user(call.deps, call.actor, parse_id(call.path["id"])))


def replace(call: Call) -> Answer:
    """Replace what is said of somebody. What is left out stays as it is (RFC 7644, 3.5.1)."""
    _require_schema(call.body, USER_SCHEMA)
    attributes = read_attributes(call.body)
    if attributes.get("userName") is None:
        raise InvalidInput("userName", "is required")
    return _changed(call, attributes)


def patch(call: Call) -> Answer:
    """Change something of somebody."""
    _require_schema(call.body, PATCH_SCHEMA)
    return _changed(call, read_patch(call.body))


def delete(call: Call) -> Answer:
    """Delete somebody."""
    delete_pushed_user(call.deps, call.actor, parse_id(call.path["id"]))
    return Answer(status=HTTPStatus.NO_CONTENT)


def _changed(call: Call, attributes: Mapping[str, Any]) -> Answer:
    pushed = pushed_in(attributes, call.configured)
    return _told(call, change_pushed_user(call.deps, call.actor, parse_id(call.path["id"]), pushed))


def _told(call: Call, user: User, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    return Answer(_resource(call, user), status, {"location": location_of(user, call.context.public_url)})


def _resource(call: Call, user: User) -> dict[str, Any]:
    whole = resource_of(user, call.configured, call.context.public_url)
    return {name: value for name, value in whole.items() if call.is_told(name)}


def _require_schema(body: Mapping[str, Any], schema: str) -> None:
    schemas = next((value for key, value in body.items() if key.lower() == "schemas"), None)
    named = [each.lower() for each in schemas if isinstance(each, str)] if isinstance(schemas, list) else []
    if schema.lower() not in named:
        raise InvalidSyntax("schemas", f"must have {schema!r}")
