"""The query of a list (RFC 7644, 3.4.2): one filter, and which part of what it finds."""

import json
import re
from collections.abc import Callable, Mapping

from gatepass.interfaces import Page
from gatepass.server.scim.attributes import USER_SCHEMA, read_names
from gatepass.server.scim.problems import InvalidFilter, InvalidSyntax

MOST_RESULTS = 200
_ALWAYS = frozenset({"schemas", "id"})
_FILTER = re.compile(
    rf'\A\s*(?:{re.escape(USER_SCHEMA)}:)?(userName|externalId)\s+eq\s+("(?:[^"\\]|\\.)*")\s*\Z',
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_NUMBER = re.compile(r"\A-?[0-9]{1,9}\Z", re.ASCII)


def read_filter(query: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the attribute, in lower case, and the text that it is to equal; None without a filter."""
    if "filter" not in query:
        return None
    matched = _FILTER.match(query["filter"])
    try:
        wanted = json.loads(matched[2]) if matched else None
    except ValueError:
        wanted = None
    if matched is None or not isinstance(wanted, str):
        raise InvalidFilter("filter", 'must be userName eq "…" or externalId eq "…"')
    return matched[1].lower(), wanted


def read_selection(query: Mapping[str, str]) -> Callable[[str], bool]:
    """Return which attributes are told (RFC 7644, 3.9): those in `attributes`, or all but `excludedAttributes`."""
    wanted, unwanted = (read_names(query.get(name, "")) - {""} for name in ("attributes", "excludedAttributes"))
    if wanted and unwanted:
        raise InvalidSyntax("attributes", "must not be given together with excludedAttributes")
    return lambda name: name in _ALWAYS or (name.lower() in wanted if wanted else name.lower() not in unwanted)


def read_page(query: Mapping[str, str]) -> tuple[Page, int]:
    """Return the part that is wanted, and the 1-based number of its first (RFC 7644, 3.4.2.4)."""
    start = max(1, _number(query, "startIndex", default=1))
    count = min(MOST_RESULTS, max(0, _number(query, "count", default=MOST_RESULTS)))
    return Page(limit=count, offset=start - 1), start


def _number(query: Mapping[str, str], name: str, *, default: int) -> int:
    if name not in query:
        return default
    if _NUMBER.match(query[name]) is None:
        raise InvalidSyntax(name, "must be a whole number")
    return int(query[name])
