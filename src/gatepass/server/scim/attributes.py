"""Attributes of a person as SCIM names them (RFC 7643): without case, perhaps with their schema's URN before them."""

import re
from collections.abc import Mapping
from typing import Any

from gatepass.model.text import shown
from gatepass.server.scim.problems import InvalidPath, InvalidSyntax

USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
KEPT = ("userName", "externalId", "displayName", "name", "active")
"""What is read. The other attributes of a user are taken and not kept."""
_OTHERS = (  # noqa: SIM905  one on a line would be all that is seen here
    "id meta schemas nickName profileUrl title userType preferredLanguage locale timezone password emails phoneNumbers"
    " ims photos addresses groups entitlements roles x509Certificates"
).split()
_KNOWN = {each.lower(): each for each in (*KEPT, *_OTHERS)}
_PATH = re.compile(r"\A([A-Za-z$][A-Za-z0-9_$-]*)(\[.*\])?(?:\.([A-Za-z$][A-Za-z0-9_$-]*))?\Z", re.ASCII | re.DOTALL)

Attributes = Mapping[str, Any]
"""What is said of the attributes in KEPT, by their names there."""


def read_attributes(body: Mapping[str, Any]) -> Attributes:
    """Return what a whole person says. Attributes that SCIM does not know are passed over (RFC 7644, 3.3)."""
    found: dict[str, Any] = {}
    for key, value in body.items():
        name = _KNOWN.get(_plain(key).lower())
        if name in found:
            raise InvalidSyntax(name, "is given twice")
        if name in KEPT:
            found[name] = value
    return found


def read_path(path: str) -> tuple[str, str] | None:
    """Return which of KEPT a path is about, and which part of it, in lower case or empty; None if none of these.

    Raises InvalidPath for what is no attribute of a user.
    """
    plain = _plain(path)
    if plain.lower().startswith("urn:") and plain.lower() != USER_SCHEMA.lower():
        return None  # of another schema, such as the department in the enterprise extension
    matched = _PATH.match(plain)
    name = _KNOWN.get(matched[1].lower()) if matched else None
    if matched is None or name is None:
        raise InvalidPath(shown(path), "is no attribute of a user")
    if name not in KEPT:
        return None
    _, _, chosen = matched.groups()
    if matched[2] is not None or (chosen is not None and name != "name"):
        raise InvalidPath(shown(path), f"{name} has no such part")
    return name, (chosen or "").lower()


def read_names(text: str) -> frozenset[str]:
    """Return the attributes in a list with commas, in lower case; a part stands for the whole of its attribute."""
    return frozenset(_plain(each.strip()).lower().partition(".")[0] for each in text.split(","))


def _plain(name: str) -> str:
    """Take the URN of the user schema off."""
    prefix = f"{USER_SCHEMA}:".lower()
    return name[len(prefix) :] if name.lower().startswith(prefix) else name
