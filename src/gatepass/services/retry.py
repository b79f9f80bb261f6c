"""Retried creations: the same request gives the same token, although no value is kept.

The secret is derived from what the client sends again and a random salt; the salt alone is kept,
for 24 hours or until the token is deleted.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from gatepass.errors import Conflict, InvalidInput
from gatepass.interfaces import Keyring
from gatepass.model.secret import Secret, derive_secret, generate_key
from gatepass.model.secret import sha256 as digest_of
from gatepass.model.token import CreatedToken, Idempotency, Token, TokenKind, token_mac, write_token

RETRY_LIFETIME = timedelta(hours=24)
_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Retry:
    """What makes a request repeatable: the client's `Idempotency-Key` and the body it sent.

    Raises InvalidInput naming `Idempotency-Key` for a key that is not 1 to 255 printable ASCII
    characters.
    """

    key: str
    body: bytes

    def __post_init__(self) -> None:
        """Check the key."""
        if not 1 <= len(self.key) <= _KEY_LENGTH or not self.key.isascii() or not self.key.isprintable():
            raise InvalidInput("Idempotency-Key", f"must be 1 to {_KEY_LENGTH} printable ASCII characters")

    @property
    def key_hash(self) -> bytes:
        """What of the key is kept."""
        return sha256(self.key.encode()).digest()

    def remember(self) -> Idempotency:
        """Return what to keep of a first request, with a new salt."""
        return Idempotency(self.key_hash, sha256(self.body).digest(), salt=generate_key())

    def secret(self, keyring: Keyring, owner_id: UUID, kept: Idempotency) -> Secret:
        """Return the secret of the token that this request made or is making."""
        salt = kept.salt or b""
        return derive_secret(keyring.server_key(), salt, owner_id.bytes, self.key.encode(), kept.body_hash)

    def answer_again(self, keyring: Keyring, made: Token, *, now: datetime) -> CreatedToken:
        """Return the first answer once more, or raise Conflict if it can no longer be given."""
        kept = made.idempotency
        if kept is None or kept.body_hash != sha256(self.body).digest():
            raise Conflict("this Idempotency-Key was used with another body")
        if made.revoked_at is not None:
            raise Conflict("this Idempotency-Key made a token that was deleted")
        if kept.salt is None or now - made.created_at >= RETRY_LIFETIME:
            raise Conflict("this Idempotency-Key was used more than 24 hours ago")
        value = write_token(TokenKind.PERSONAL, made.id, self.secret(keyring, made.owner_id, kept))
        mac = token_mac(keyring.pepper(made.pepper), digest_of(value.reveal()))
        # SECURITY: under another server key the value would be one that was never issued.
        if not hmac.compare_digest(mac, made.mac):
            raise Conflict("the server key changed since this Idempotency-Key was used")
        return CreatedToken(replace(made, last_used_at=None), value)
