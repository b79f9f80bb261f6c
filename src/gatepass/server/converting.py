"""Values of the configuration, turned into what the field of a dataclass takes."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

import msgspec

from gatepass.errors import BadConfiguration

Given = Mapping[str, tuple[Any, str]]
"""`section.key` to a value and where it comes from."""


def section_of(name: str, kind: type, given: Given) -> Any:
    """Return a dataclass with what is given for its fields under `name`. Raises BadConfiguration naming the key."""
    values = {}
    for each in fields(kind):
        key = f"{name}.{each.name}"
        if key in given:
            value, origin = given[key]
            default = each.default if each.default is not MISSING else None
            values[each.name] = _converted(key, value, type(default), origin, secret=bool(each.metadata.get("secret")))
    return kind(**values)


def _converted(key: str, value: Any, kind: type, origin: str, *, secret: bool) -> Any:
    try:
        if kind is tuple:
            parts = value.split(",") if isinstance(value, str) else value
            return tuple(msgspec.convert([str(part).strip() for part in parts if str(part).strip()], list[str]))
        return msgspec.convert(value, kind, strict=not isinstance(value, str))
    except (msgspec.ValidationError, TypeError):
        shown = "" if secret else f", not {value!r}"
        raise BadConfiguration(key, f"from {origin}: must be {_WORDS[kind]}{shown}") from None


_WORDS = {str: "text", int: "a whole number", bool: "true or false", tuple: "a list of texts"}
