"""What this door says of itself (RFC 7643, 5 to 7): what it can do, and what it keeps of a person."""

from collections.abc import Mapping
from typing import Any

from gatepass.errors import NotAllowed, NotFound
from gatepass.server.scim.attributes import USER_SCHEMA
from gatepass.server.scim.call import Answer, Call
from gatepass.server.scim.filtering import MOST_RESULTS
from gatepass.server.scim.people import list_of

_CORE = "urn:ietf:params:scim:schemas:core:2.0"
CONFIG, TYPES, SCHEMAS = "/scim/v2/ServiceProviderConfig", "/scim/v2/ResourceTypes", "/scim/v2/Schemas"


def _meta(kind: str, path: str) -> dict[str, Any]:
    return {"meta": {"resourceType": kind, "location": path}}


def get_config(call: Call) -> Answer:
    """Return which of the optional parts there are."""
    return Answer(_located(call, service_provider_config()))


def list_types(call: Call) -> Answer:
    """Return the types of resources."""
    return _list(call, user_type())


def get_type(call: Call) -> Answer:
    """Return one of them."""
    return _get(call, user_type())


def list_schemas(call: Call) -> Answer:
    """Return the schemas."""
    return _list(call, user_schema())


def get_schema(call: Call) -> Answer:
    """Return one of them."""
    return _get(call, user_schema())


def _list(call: Call, only: Mapping[str, Any]) -> Answer:
    if "filter" in call.query:
        raise NotAllowed("this list takes no filter")  # RFC 7644, 4
    return Answer(list_of([_located(call, only)], total=1))


def _get(call: Call, only: Mapping[str, Any]) -> Answer:
    if call.path["id"] != only["id"]:
        raise NotFound("there is no such resource")
    return Answer(_located(call, only))


def _located(call: Call, resource: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = resource["meta"]
    return {**resource, "meta": {**meta, "location": f"{call.context.public_url}{meta['location']}"}}


def service_provider_config() -> Mapping[str, Any]:
    """Return which of the optional parts of the protocol there are."""
    return {
        "schemas": [f"{_CORE}:ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST_RESULTS},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": False},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer credential",
                "description": "The credential of one identity provider, as `Authorization: Bearer …`",
                "primary": True,
            }
        ],
        **_meta("ServiceProviderConfig", CONFIG),
    }


def user_type() -> Mapping[str, Any]:
    """Return the one type of resource."""
    return {
        "schemas": [f"{_CORE}:ResourceType"],
        "id": "User",
        "name": "User",
        "description": "A person of this identity provider",
        "endpoint": "/Users",
        "schema": USER_SCHEMA,
        "schemaExtensions": [],
        **_meta("ResourceType", f"{TYPES}/User"),
    }


def _attribute(name: str, description: str, **other: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "string",
        "multiValued": False,
        "description": description,
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
        **other,
    }


def user_schema() -> Mapping[str, Any]:
    """Return what is kept of a person. `externalId` stands in no schema: every resource has it (RFC 7643, 3.1)."""
    formatted = _attribute("formatted", "The display name")
    return {
        "schemas": [f"{_CORE}:Schema"],
        "id": USER_SCHEMA,
        "name": "User",
        "description": "A person. Other attributes are taken and not kept",
        "attributes": [
            _attribute("userName", "An e-mail address, or a login", required=True, uniqueness="server"),
            _attribute("displayName", "What they are shown as"),
            _attribute("name", "The same", type="complex", subAttributes=[formatted]),
            _attribute("active", "Whether they may sign in and their tokens are accepted", type="boolean"),
        ],
        **_meta("Schema", f"{SCHEMAS}/{USER_SCHEMA}"),
    }
