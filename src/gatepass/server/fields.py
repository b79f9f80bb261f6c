"""The fields of a body in application/x-www-form-urlencoded."""

from urllib.parse import parse_qsl

from gatepass.errors import InvalidInput

_MOST_FIELDS = 50


def parse_fields(body: bytes) -> dict[str, str]:
    """Read a form, empty values included. Raises InvalidInput if it cannot be read or has a field twice."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InvalidInput("form", "cannot be read") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidInput("form", "has a field twice")
    return fields
