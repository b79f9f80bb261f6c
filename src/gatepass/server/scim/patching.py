"""The body of a PATCH (RFC 7644, 3.5.2): read whole before anything changes, so that nothing is half done.

Every operation sets attributes, so a patch comes to what is said of them in the end.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gatepass.errors import Immutable, InvalidInput
from gatepass.model.text import shown
from gatepass.server.scim.attributes import Attributes, read_path
from gatepass.server.scim.problems import InvalidSyntax, NoTarget

SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_MOST = 100
_REQUIRED = ("userName", "active")


def read_patch(body: Mapping[str, Any]) -> Attributes:
    """Return what a patch says of somebody. Raises InvalidInput naming the operation and the reason."""
    fields = {key.lower(): value for key, value in body.items()}
    operations = fields.get("operations")
    if not isinstance(operations, list) or not 1 <= len(operations) <= _MOST:
        raise InvalidSyntax("Operations", f"must be a list of 1 to {_MOST}")
    found: dict[str, Any] = {}
    for number, each in enumerate(operations):
        place = f"Operations[{number}]"
        if not isinstance(each, dict):
            raise InvalidSyntax(place, "must be an object")
        for name, part, value in _settings({key.lower(): value for key, value in each.items()}, place):
            _set(found, name, part, value)
    return found


def _settings(operation: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, Any]]:
    """Yield each attribute that an operation is about, the part of it that is meant, and what it becomes."""
    kind, path = operation.get("op"), operation.get("path")
    kind = kind.lower() if isinstance(kind, str) else kind
    if kind not in ("add", "replace", "remove"):
        raise InvalidSyntax(f"{place}.op", f"must be add, replace or remove, not {shown(str(kind))}")
    if not isinstance(path, str | None):
        raise InvalidSyntax(f"{place}.path", "must be text")
    if kind == "remove":
        if not path:
            raise NoTarget(f"{place}.path", "is required to remove something")
        yield from _removed(path)
    elif operation.get("value") is None:
        raise InvalidInput(f"{place}.value", "is required")
    elif path:
        yield from _told(path, operation["value"])
    elif not isinstance(operation["value"], dict):
        raise InvalidInput(f"{place}.value", "must be an object where there is no path")
    else:
        for name, value in operation["value"].items():
            yield from _told(name, value)


def _told(path: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    found = read_path(path)
    if found is not None:
        yield (*found, value)


def _removed(path: str) -> Iterator[tuple[str, str, Any]]:
    found = read_path(path)
    if found is None:
        return
    name, part = found
    if name == "externalId":
        raise Immutable(name, "is who somebody is, and cannot be removed")
    if name in _REQUIRED:
        raise InvalidInput(name, "cannot be removed")
    yield (name, part, {"formatted": ""} if name == "name" and not part else "")


def _set(found: dict[str, Any], name: str, part: str, value: Any) -> None:
    """Set an attribute; parts of the name add up."""
    if name != "name":
        found[name] = value
        return
    parts = {part: value} if part else value
    if not isinstance(parts, dict):
        raise InvalidInput("name", "must be an object")
    found["name"] = {**found.get("name", {}), **parts}
