"""Users: the people (later also service accounts) that tokens belong to."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gatepass.errors import InvalidInput
from gatepass.model.text import check_line

LOCAL = "local"
"""The provider of people whose password is kept here."""
EMAIL_LENGTH = 254
NAME_LENGTH = 200
PASSWORD_LEAST_BYTES = 15
PASSWORD_MOST_BYTES = 1024
_PASSWORD_MOST_TYPED = 2 * PASSWORD_MOST_BYTES
"""Characters before NFC, which takes a time that grows with their square."""

_EMAIL = re.compile(r"\A[0-9A-Za-z.!#$%&'*+/=?^_`{|}~-]{1,64}@[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class User:
    """A person who signs in and owns tokens."""

    id: UUID
    email: str
    """As it was typed; names are compared by `email_key`."""
    name: str | None
    is_admin: bool
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None = None
    deleted_at: datetime | None = None
    last_sign_in_at: datetime | None = None
    provider: str = LOCAL
    """Where they prove who they are: `local`, or the id of an identity provider."""
    subject: str | None = None
    """Who they are there. Provider and subject are the key, never a name; None for local people."""
    may_generate: bool | None = None
    """Whether their groups let them generate tokens; None: as the settings say."""
    lost: str | None = None
    """Why the provider lost them (a `Refusal`), if that is why they are disabled.

    Whom their directory pushed out: `deactivated`, a space and another one if they are lost for that besides.
    """
    checked_at: datetime | None = None
    """When the provider last said that they are there."""

    @property
    def is_local(self) -> bool:
        """Tell whether their password is kept here."""
        return self.provider == LOCAL

    @property
    def is_live(self) -> bool:
        """Tell whether this user may act at all: neither disabled nor deleted."""
        return self.disabled_at is None and self.deleted_at is None


@dataclass(frozen=True, slots=True)
class Password:
    """The stored password of a local user, as a salted hash."""

    hash: str
    changed_at: datetime
    on_console: bool = False
    """Whether it was set on the server's own console."""


@dataclass(frozen=True, slots=True)
class PasswordLink:
    """A one-time link with which a person sets a password. Only the hash of its handle is kept."""

    handle_hash: bytes
    user_id: UUID
    expires_at: datetime


def email_key(email: str) -> str:
    """Return the form in which local user names are compared: without case.

    Text that is not ASCII is no local user name and stays as it is: folding it could turn it into
    somebody's (the Kelvin sign into a `k`).
    """
    return email.lower() if email.isascii() else email


def check_email(email: str) -> str:
    """Return a local user name (an ASCII e-mail address), or raise InvalidInput naming `email`."""
    if not is_email(email):
        raise InvalidInput("email", "must be an ASCII e-mail address of at most 254 characters")
    return email


def is_email(text: str) -> bool:
    """Tell whether a text is an ASCII e-mail address of at most EMAIL_LENGTH characters."""
    return len(text) <= EMAIL_LENGTH and _EMAIL.match(text) is not None


def check_name(name: str | None) -> str | None:
    """Return a display name, or raise InvalidInput naming `name`."""
    return None if name is None else check_line("name", name, most=NAME_LENGTH)


def normalise_password(password: str) -> bytes:
    """Return the bytes that are hashed: Unicode NFC in UTF-8, otherwise unchanged.

    Raises ValueError for text that is not Unicode (a lone surrogate) or far too long.
    """
    if len(password) > _PASSWORD_MOST_TYPED:
        raise ValueError("too long")
    return unicodedata.normalize("NFC", password).encode("utf-8")


def check_new_password(password: str, *, common: frozenset[str], field: str = "password") -> bytes:
    """Return the bytes to hash for a new password, or raise InvalidInput naming `field`.

    15 to 1,024 bytes, and not one of the `common` passwords (all case-folded) in any case. There
    are no rules of composition (NIST SP 800-63B-4).
    """
    if len(password) > _PASSWORD_MOST_TYPED:
        raise InvalidInput(field, f"must have {PASSWORD_LEAST_BYTES} to {PASSWORD_MOST_BYTES} bytes")
    try:
        chosen = normalise_password(password)
    except ValueError:
        raise InvalidInput(field, "must be Unicode text") from None
    if not PASSWORD_LEAST_BYTES <= len(chosen) <= PASSWORD_MOST_BYTES:
        raise InvalidInput(field, f"must have {PASSWORD_LEAST_BYTES} to {PASSWORD_MOST_BYTES} bytes, has {len(chosen)}")
    if chosen.decode("utf-8").casefold() in common:
        raise InvalidInput(field, "is one of the commonest passwords; choose another")
    return chosen
