"""Presented tokens: the text that a client sends, read and not yet judged.

A verifier needs this and none of the records, so it stands apart from them: `model/token.py` says
what the format is and writes it.
"""

from __future__ import annotations

import re
from hashlib import sha256
from zlib import crc32

from gatepass.model.base62 import decode_base62
from gatepass.model.value import Value

TYPE_CHECKING = False  # as in model/change.py
if TYPE_CHECKING:
    from uuid import UUID

TOKEN_LENGTH = 66

_ID_SPACE = 2**128


def value_form(prefixes: str) -> re.Pattern[str]:
    """Return the form of all values that start with one of `prefixes` (`a|b`)."""
    return re.compile(rf"\A({prefixes})_([0-9A-Za-z]{{22}})_[0-9A-Za-z]{{32}}([0-9A-Za-z]{{6}})\Z", re.ASCII)


_FORM = value_form("gpat|gpsa")


class PresentedToken(Value):
    """A well-formed token text, not yet judged. It keeps the digest, never the text."""

    __slots__ = ("digest", "id")

    def __init__(self, token_id: UUID, digest: bytes) -> None:
        """Take the id it names, and its SHA-256."""
        self.id = token_id
        self.digest = digest

    def __repr__(self) -> str:
        return f"PresentedToken(id={self.id})"


def parse_token(text: str) -> PresentedToken | None:
    """Read the text a client sent; None if it is not in canonical form. No I/O."""
    found = parse_value(text, _FORM)
    return None if found is None else PresentedToken(*found)


def parse_value(text: str, form: re.Pattern[str]) -> tuple[UUID, bytes] | None:
    """Return id and digest of a value in the canonical `form` of its kind, None if it is not. No I/O."""
    # SECURITY: no trimming, folding or decoding: one value has one spelling.
    found = form.match(text) if len(text) == TOKEN_LENGTH else None
    if found is None:
        return None
    encoded = text.encode("ascii")
    if decode_base62(found[3]) != crc32(encoded[:-6]):
        return None
    from uuid import UUID  # noqa: PLC0415  its import takes longer than all of this package

    number = decode_base62(found[2])
    return (UUID(int=number), sha256(encoded).digest()) if number < _ID_SPACE else None
