"""Presented tokens: the text that a client sends, read and not yet judged.

A verifier needs this and none of the records, so it stands apart from them: `model/token.py` says
what the format is and writes it.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256
from zlib import crc32

from gatepass.model.base62 import decode_base62
from gatepass.model.value import Value

TYPE_CHECKING = False  # as in model/change.py
if TYPE_CHECKING:
    from uuid import UUID

TOKEN_LENGTH = 66

_ID_SPACE = 2**128


_PREFIXES = ("gpat", "gpsa")


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
    found = parse_value(text, _PREFIXES)
    return None if found is None else PresentedToken(*found)


def parse_value(text: str, prefixes: Collection[str]) -> tuple[UUID, bytes] | None:
    """Return id and digest of a value `prefix_<id, 22 base62>_<secret, 32 base62><checksum, 6 base62>`.

    None if it is not in that one form, with one of the four-letter `prefixes`. No I/O.
    """
    # SECURITY: no trimming, folding or decoding: one value has one spelling.
    if len(text) != TOKEN_LENGTH or not text.isascii():
        return None
    prefix, number_text, rest = text[:4], text[5:27], text[28:]
    # ASCII that is alphanumeric is base62.
    if prefix not in prefixes or text[4] != "_" or text[27] != "_" or not (number_text + rest).isalnum():
        return None
    encoded = text.encode("ascii")
    if decode_base62(text[60:]) != crc32(encoded[:60]):
        return None
    from uuid import UUID  # noqa: PLC0415  its import takes longer than all of this package

    number = decode_base62(number_text)
    return (UUID(int=number), sha256(encoded).digest()) if number < _ID_SPACE else None
