"""A person as SCIM writes one, and what SCIM says of one as the use cases take it."""

from collections.abc import Mapping, Sequence
from typing import Any

from gatepass.errors import InvalidInput
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.identity import check_subject
from gatepass.model.instant import iso
from gatepass.model.pushed import Pushed
from gatepass.model.text import shorten
from gatepass.model.user import NAME_LENGTH, User
from gatepass.server.scim.attributes import USER_SCHEMA, Attributes
from gatepass.server.scim.names import email_of, user_name_of

USERS = "/scim/v2/Users"
_LIST_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_WORDS = {"true": True, "false": False}


def pushed_in(attributes: Attributes, configured: ConfiguredProvider) -> Pushed:
    """Read what is said of somebody; what is null says nothing. Raises InvalidInput naming the attribute."""
    external_id, user_name = _text(attributes, "externalId"), _text(attributes, "userName")
    return Pushed(
        subject=None if external_id is None else subject_of(external_id, configured),
        email=None if user_name is None else email_of(user_name, configured.id),
        name=_display_name(attributes),
        is_active=_active(attributes.get("active")),
    )


def subject_of(external_id: str, configured: ConfiguredProvider) -> str:
    """Return the subject of somebody whom their directory calls `external_id`. Raises InvalidInput."""
    try:
        return configured.subject_for(check_subject(external_id))
    except InvalidInput as error:
        raise InvalidInput("externalId", error.reason) from None


def _display_name(attributes: Attributes) -> str | None:
    """Return the display name; without one the formatted name, or its parts. One harmless line, perhaps empty."""
    told = _text(attributes, "displayName")
    name = attributes.get("name")
    if not isinstance(name, Mapping | None):
        raise InvalidInput("name", "must be an object")
    if told is None and name:
        parts = {str(key).lower(): value for key, value in name.items() if value is not None}
        formatted = _text(parts, "formatted", shown="name.formatted")
        given = [_text(parts, each.lower(), shown=f"name.{each}") for each in ("givenName", "familyName")]
        told = formatted if formatted is not None else " ".join(filter(None, given)) or None
    return None if told is None else " ".join((shorten(told, most=NAME_LENGTH) or "").split())


def _text(attributes: Attributes, name: str, *, shown: str = "") -> str | None:
    value = attributes.get(name)
    if not isinstance(value, str | None):
        raise InvalidInput(shown or name, "must be text")
    return value


def _active(value: object) -> bool | None:
    """Read `active`; Entra ID writes it as a text."""
    if isinstance(value, str):
        value = _WORDS.get(value.lower(), value)
    if not isinstance(value, bool | None):
        raise InvalidInput("active", "must be true or false")
    return value


def resource_of(user: User, configured: ConfiguredProvider, public_url: str) -> dict[str, Any]:
    """Return a person as SCIM writes one (RFC 7643, 4.1)."""
    external_id = configured.external_id_of(user.subject) if user.subject is not None else None
    user_name = user_name_of(user)
    resource: dict[str, Any] = {"schemas": [USER_SCHEMA], "id": str(user.id)}
    if external_id is not None:
        resource["externalId"] = external_id
    resource["userName"] = user_name
    if user.name:
        resource |= {"displayName": user.name, "name": {"formatted": user.name}}
    return resource | {
        "active": user.is_live,
        "meta": {
            "resourceType": "User",
            "created": iso(user.created_at),
            "lastModified": iso(user.updated_at),
            "location": location_of(user, public_url),
        },
    }


def location_of(user: User, public_url: str) -> str:
    """Return the address of a person here."""
    return f"{public_url}{USERS}/{user.id}"


def list_of(resources: Sequence[Mapping[str, Any]], *, total: int, start: int = 1) -> Mapping[str, Any]:
    """Return resources as SCIM writes a list of them (RFC 7644, 3.4.2)."""
    return {
        "schemas": [_LIST_SCHEMA],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }
