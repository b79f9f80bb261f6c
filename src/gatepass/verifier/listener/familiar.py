"""Requests that were parsed before: what stands around the token, byte for byte.

SECURITY: that is sound because the parser is deterministic and knows nothing of what a token says. A
shape is kept only when the parser found exactly one request in one read, with one Authorization field
whose token was accepted, that needs no second look (see `door.py`), on a connection that stays open.
It is met again only where the same bytes stand around something else as long as a token, and counts
only if that is a token in memory, so made of the same characters. A field line cannot begin inside
another one, so the last FIELD in the bytes is the one Authorization field.
"""

from gatepass.model.presented import TOKEN_LENGTH

FIELD = b"\r\nAuthorization: Bearer "
"""What stands in front of the token, as gateways and clients spell it; other spellings are parsed each time."""
FIELD_LENGTH = len(FIELD)
_MOST_SHAPES = 4096
_MOST_BYTES = 1024


class Familiar:
    """A bounded number of shapes, for one process. Full, it begins anew: what is asked all the time is back at once."""

    def __init__(self) -> None:
        """Begin with none."""
        self.shapes: dict[bytes, bytes] = {}
        """What stands behind the token, by what stands before it: whichever came last."""

    def add(self, request: bytes) -> None:
        """Keep the shape of a request that was plain."""
        token_at = request.rfind(FIELD) + FIELD_LENGTH
        if token_at < FIELD_LENGTH or len(request) > _MOST_BYTES:
            return
        if len(self.shapes) >= _MOST_SHAPES:
            self.shapes.clear()
        self.shapes[request[:token_at]] = request[token_at + TOKEN_LENGTH :]
