"""Sections of identity providers in a configuration file, as text: one is added or removed, the rest stays as it is."""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from gatepass.errors import BadConfiguration, InvalidInput
from gatepass.model.text import is_unicode
from gatepass.server.provider_settings import SECTION


def provider_ids_in(text: str) -> list[str]:
    """Return the ids of the providers in a file. Raises BadConfiguration for text that is not TOML."""
    return list(_providers(_parsed(text)))


def with_section(text: str, provider_id: str, values: Mapping[str, Any]) -> str:
    """Return the text with a section at its end. Raises InvalidInput for a value that no file can hold."""
    lines = [f"[{SECTION}.{provider_id}]", *(f"{name} = {_written(name, value)}" for name, value in values.items())]
    before = text if not text or text.endswith("\n") else text + "\n"
    return before + ("\n" if before else "") + "\n".join(lines) + "\n"


def without_section(text: str, provider_id: str) -> str:
    """Return the text without the section of a provider; what is written above the next section stays there.

    Raises BadConfiguration if it is not written as a section of its own.
    """
    wanted = _parsed(text)
    del wanted[SECTION][provider_id]
    if not wanted[SECTION]:
        del wanted[SECTION]
    lines = text.splitlines(keepends=True)
    heads = [number for number, line in enumerate(lines) if _HEAD.match(line)]
    for start in heads:
        for end in (*(each for each in heads if each > start), len(lines)):
            rest = "".join(_cut(lines, start, end))
            # What begins like a head may be part of a value: only what leaves all others as they were is the section.
            if _reads_as(rest, wanted):
                return rest
    raise BadConfiguration(
        f"{SECTION}.{provider_id}", "is not written as a section of its own", hint="remove it with an editor"
    )


_HEAD = re.compile(r"\s*\[")


def _cut(lines: list[str], start: int, end: int) -> list[str]:
    while end > start + 1 and end < len(lines) and _is_aside(lines[end - 1]):
        end -= 1
    if start > 0 and not lines[start - 1].strip():
        start -= 1
    return lines[:start] + lines[end:]


def _is_aside(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _reads_as(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return found == wanted


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration("the configuration file", f"cannot be read: {error}") from None


def _providers(content: Mapping[str, Any]) -> Mapping[str, Any]:
    found = content.get(SECTION)
    return found if isinstance(found, dict) else {}


def _written(name: str, value: Any) -> str:
    """Return a text, a number, a boolean or a list of texts in TOML. What JSON escapes, TOML escapes alike."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_written(name, each) for each in value) + "]"
    if isinstance(value, str) and not is_unicode(value):
        raise InvalidInput(name, "must be Unicode text")
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
