"""Reading requests: bodies, query strings, ids. Whatever cannot be read names its field."""

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from starlette.requests import ClientDisconnect, Request

from gatepass.errors import InvalidInput, NotFound
from gatepass.interfaces import Page
from gatepass.model.text import is_unicode, shown
from gatepass.server.fields import require_type
from gatepass.server.problems import BodyTooLarge
from gatepass.verifier.limits import BODY_BYTES

T = TypeVar("T")

JSON_DEPTH = 20
MOST_ROWS = 1000
_MOST_OFFSET = 2**53
_ID = re.compile(r"\A[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z", re.ASCII)
_NUMBER = re.compile(r"\A[0-9]{1,16}\Z", re.ASCII)
_PLACE = re.compile(r" - at `\$\.?(.*?)`\Z")
_MISSING = re.compile(r"\AObject missing required field `(.*?)`")
_UNKNOWN = re.compile(r"\AObject contains unknown field `(.*)`", re.DOTALL)


async def read_body(request: Request, *, most: int = BODY_BYTES) -> bytes:
    """Return the whole body. Raises BodyTooLarge above `most` bytes, 64 KiB, as early as that is known."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most:
        raise BodyTooLarge("body", f"must have at most {most} bytes, has {length}")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise BodyTooLarge("body", f"must have at most {most} bytes")
    except ClientDisconnect:
        raise InvalidInput("body", "ended too early") from None
    return bytes(body)


def require_media_type(request: Request, wanted: str) -> None:
    """Raise WrongMediaType unless the body is declared as `wanted`."""
    require_type(request.headers.get("content-type", ""), wanted)


def parse_json(body: bytes, kind: type[T]) -> T:
    """Read a JSON body as `kind`, strictly: no duplicate keys, no unknown fields, no conversions."""
    try:
        content = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
        _require_shallow(content, JSON_DEPTH)
    except RecursionError:
        raise InvalidInput("body", f"is nested deeper than {JSON_DEPTH} levels") from None
    except UnicodeDecodeError:
        raise InvalidInput("body", "is not UTF-8") from None
    except ValueError:
        # Also numbers of more digits than Python reads.
        raise InvalidInput("body", "is not JSON") from None
    if not isinstance(content, dict):
        raise InvalidInput("body", "must be a JSON object")
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None
    except UnicodeError:
        raise InvalidInput("body", "holds a lone surrogate, which is no Unicode text") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidInput(shown(key), "stands in the body twice")
        if not is_unicode(key):
            raise InvalidInput(shown(key), "is not a field of this request")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _require_shallow(content: Any, depth: int) -> None:
    if depth < 0:
        raise RecursionError
    if isinstance(content, dict | list):
        for value in content.values() if isinstance(content, dict) else content:
            _require_shallow(value, depth - 1)


def _explained(message: str) -> InvalidInput:
    """Turn msgspec's words into ours: field first, then the reason."""
    if missing := _MISSING.match(message):
        return InvalidInput(missing[1], "is required")
    if unknown := _UNKNOWN.match(message):
        return InvalidInput(shown(unknown[1]), "is not a field of this request")
    place = _PLACE.search(message)
    reason = _PLACE.sub("", message).replace("`", "")
    return InvalidInput(place[1] if place else "body", reason[:1].lower() + reason[1:])


def parse_id(text: str) -> UUID:
    """Read an id in its one canonical form; everything else is an id that does not exist."""
    if _ID.match(text) is None:
        raise NotFound("there is no such record")
    return UUID(text)


def query_of(request: Request) -> dict[str, str]:
    """Return the query parameters. Raises InvalidInput for one that is given twice or not UTF-8."""
    found: dict[str, str] = {}
    try:
        raw = request.scope["query_string"].decode("ascii")
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise InvalidInput("query", "cannot be read") from None
    for name, value in pairs:
        if name in found:
            raise InvalidInput(shown(name), "is given twice")
        found[name] = value
    return found


def parse_page(query: Mapping[str, str], *, default_limit: int = MOST_ROWS, ids: bool = True) -> Page:
    """Read `limit` (1-1000), `offset` and `after`; `after` is an id, or a number where `ids` is off."""
    limit = _number(query, "limit", default=default_limit, least=1, most=MOST_ROWS)
    offset = _number(query, "offset", default=0, least=0, most=_MOST_OFFSET)
    after: UUID | int | None = None
    if "after" in query:
        if ids:
            after = _edge_id(query["after"], "after")
        else:
            after = _number(query, "after", default=0, least=0, most=_MOST_OFFSET)
    return Page(limit=limit, offset=offset, after=after)


def _edge_id(text: str, field: str) -> UUID:
    if _ID.match(text) is None:
        raise InvalidInput(field, "must be the id of a record")
    return UUID(text)


def _number(query: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    if name not in query:
        return default
    text = query[name]
    if _NUMBER.match(text) is None or not least <= int(text) <= most:
        raise InvalidInput(name, f"must be a whole number from {least} to {most}")
    return int(text)


def parse_choice(query: Mapping[str, str], name: str, choices: Mapping[str, T], *, default: str) -> T:
    """Read a parameter that takes one of a few words."""
    word = query.get(name, default)
    if word not in choices:
        raise InvalidInput(name, f"must be one of {', '.join(choices)}")
    return choices[word]
