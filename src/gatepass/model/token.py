"""Tokens: the stored record, and the text that is made for a client.

`gpat_<token id, 22 base62>_<secret, 32 base62><checksum, 6 base62>`: 66 characters, accepted in
this one form only. The published vectors are in `tests/vectors/token-format.json`.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID
from zlib import crc32

from gatepass.errors import InvalidInput
from gatepass.model.base62 import encode_base62
from gatepass.model.rights import FULL_ACCESS, Rights
from gatepass.model.secret import Secret
from gatepass.model.text import check_line

MAXIMUM_LIFETIME_SECONDS = 3_153_600_000
"""The longest lifetime that can be asked for, 100 years of 365 days."""

NEVER_EXPIRES = -1
"""What stands for "no end" where a lifetime is asked for."""

DESCRIPTION_LENGTH = 200


class TokenKind(StrEnum):
    """What a value starts with."""

    PERSONAL = "gpat"
    SERVICE = "gpsa"


class TokenStatus(StrEnum):
    """What a person sees of a token's life."""

    ACTIVE = "active"
    EXPIRED = "expired"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What makes a retried creation give its first answer: hashes, and the salt of the secret."""

    key_hash: bytes
    body_hash: bytes
    salt: bytes | None
    """32 random bytes; None once 24 hours have passed or the token was deleted."""


@dataclass(frozen=True, slots=True)
class Token:
    """The stored record of a token. Nothing in it gives the token's value back."""

    id: UUID
    owner_id: UUID
    mac: bytes
    """HMAC-SHA-256 of the digest under pepper number `pepper`; empty after deletion."""
    pepper: int
    description: str | None
    created_at: datetime
    expires_at: datetime | None
    parent_id: UUID | None = None
    """The token it was created with, if any (lineage)."""
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    idempotency: Idempotency | None = None
    rights: Rights = FULL_ACCESS

    def status(self, now: datetime) -> TokenStatus:
        """Return what it is at `now`. A deleted token stays deleted, whatever its expiry."""
        if self.revoked_at is not None:
            return TokenStatus.DELETED
        return TokenStatus.EXPIRED if is_expired(self.expires_at, now) else TokenStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """The record of a token together with its value, which exists here and nowhere else."""

    token: Token
    value: Secret


def is_expired(expires_at: datetime | None, now: datetime) -> bool:
    """Tell whether an end (None: never) has come: at the very instant, it has."""
    return expires_at is not None and expires_at <= now


def write_token(kind: TokenKind, token_id: UUID, secret: Secret) -> Secret:
    """Return the full value of a token."""
    return write_value(kind.value, token_id, secret)


def write_value(prefix: str, value_id: UUID, secret: Secret) -> Secret:
    """Return a value of a token's shape: prefix, id, secret and checksum."""
    head = f"{prefix}_{encode_base62(value_id.int, width=22)}_{secret.reveal()}"
    return Secret(head + encode_base62(crc32(head.encode("ascii")), width=6))


def token_mac(pepper: bytes, digest: bytes) -> bytes:
    """Return what is kept of a token, or of another value of its shape: HMAC-SHA-256 of its digest, 32 bytes."""
    return hmac.digest(pepper, digest, "sha256")


def check_description(text: str | None) -> str | None:
    """Return a description that may be kept, or raise InvalidInput naming `description`."""
    return None if text is None else check_line("description", text, most=DESCRIPTION_LENGTH)


def check_lifetime_seconds(seconds: int) -> int:
    """Return a lifetime that can be asked for, or raise InvalidInput naming `lifetimeSeconds`."""
    if seconds != NEVER_EXPIRES and not 1 <= seconds <= MAXIMUM_LIFETIME_SECONDS:
        raise InvalidInput(
            "lifetimeSeconds",
            f"must be a whole number from 1 to {MAXIMUM_LIFETIME_SECONDS}, or -1 for a token that never expires",
        )
    return seconds
