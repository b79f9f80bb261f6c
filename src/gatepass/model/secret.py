"""Secrets: the one source of randomness, and a wrapper that cannot be shown by accident."""

import hashlib
import hmac
import secrets
import threading
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from gatepass.model.base62 import encode_base62
from gatepass.model.instant import from_milliseconds, to_milliseconds

SECRET_LENGTH = 32
"""Base62 characters in the random part of a token: 190 bits."""

_SECRET_SPACE = 62**SECRET_LENGTH
_VERSION_7 = 7


class Secret:
    """Text that must not leak: it has no readable form, cannot be compared, copied out or pickled.

    `reveal()` is the only way to the text; search for it to find every place that handles one.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Wrap `text`."""
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        """Hide the text."""
        return "Secret(…)"

    def __format__(self, spec: str) -> NoReturn:
        """Refuse to be put into a text."""
        raise TypeError("a secret cannot be formatted; call reveal() where it must be sent")

    __str__ = __repr__
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> NoReturn:
        """Refuse: comparing secrets with == leaks through time."""
        raise TypeError("a secret cannot be compared with ==")

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("a secret cannot be pickled or copied")


def generate_secret() -> Secret:
    """Return 190 random bits from the operating system as 32 base62 characters."""
    return Secret(encode_base62(secrets.randbelow(_SECRET_SPACE), width=SECRET_LENGTH))


def derive_secret(key: bytes, *parts: bytes) -> Secret:
    """Return the secret that belongs to `parts` under `key`, the same each time.

    It is HMAC-SHA-512 over the parts, each led by its length in 8 bytes so that no two lists of
    parts read alike, taken mod 62^32.
    """
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    number = int.from_bytes(hmac.digest(key, message, "sha512"), "big")
    return Secret(encode_base62(number % _SECRET_SPACE, width=SECRET_LENGTH))


def generate_handle() -> Secret:
    """Return 256 random bits, URL-safe: for sessions and one-time links."""
    return Secret(secrets.token_urlsafe(32))


def generate_password() -> Secret:
    """Return a random password of 20 letters and digits (119 bits), for a person to copy."""
    return Secret(encode_base62(secrets.randbelow(62**20), width=20))


def generate_key() -> bytes:
    """Return 32 random bytes: a pepper, a key or a salt."""
    return secrets.token_bytes(32)


class _Order:
    """Numbers the ids of one millisecond, so that they sort as they were made in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millisecond = -1
        self._count = 0

    def next(self, millisecond: int) -> int:
        with self._lock:
            self._count = self._count + 1 if millisecond == self._millisecond else 0
            self._millisecond = millisecond
            return self._count & 0xFFF


_order = _Order()


def generate_id(now: datetime) -> UUID:
    """Return a UUID version 7 (RFC 9562, with a counter of 12 bits) for `now`.

    The first 48 bits are the millisecond, so that ids sort as their instants do; the last 62 are
    random. An id is public and no secret.
    """
    millisecond = to_milliseconds(now)
    head = millisecond << 16 | 0x7 << 12 | _order.next(millisecond)
    return UUID(int=head << 64 | 0b10 << 62 | secrets.randbits(62))


def instant_of(identity: UUID) -> datetime | None:
    """Return the instant an id was generated at, None if it is no UUID version 7."""
    return from_milliseconds(identity.int >> 80) if identity.version == _VERSION_7 else None


def sha256(text: str) -> bytes:
    """Return the SHA-256 of ASCII `text`, 32 bytes: how handles and tokens are looked up."""
    return hashlib.sha256(text.encode("ascii")).digest()
