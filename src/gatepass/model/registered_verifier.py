"""Registered verifiers: services that may ask about tokens, and the credential each proves itself with.

`gpvf_<verifier id, 22 base62>_<secret, 32 base62><checksum, 6 base62>`: the shape of a token, but
never one: neither parser reads what the other one does.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gatepass.errors import InvalidInput
from gatepass.model.presented import parse_value
from gatepass.model.secret import Secret
from gatepass.model.text import check_line
from gatepass.model.token import write_value

NAME_LENGTH = 100
PREFIX = "gpvf"
_ID = re.compile(r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RegisteredVerifier:
    """The stored record of a verifier. Nothing in it gives the credential back."""

    id: UUID
    name: str
    """As it was typed; names are compared by `name_key`."""
    mac: bytes
    """HMAC-SHA-256 of the credential's digest under pepper number `pepper`; empty after removal."""
    pepper: int
    created_at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AddedVerifier:
    """The record of a verifier together with its credential, which exists here and nowhere else."""

    verifier: RegisteredVerifier
    credential: Secret


@dataclass(frozen=True, slots=True)
class PresentedVerifier:
    """A well-formed credential, not yet judged. It keeps the digest, never the text."""

    id: UUID
    digest: bytes


def name_key(name: str) -> str:
    """Return the form in which names are compared: without case."""
    return name.casefold()


def check_verifier_name(name: str) -> str:
    """Return a name that a verifier may have, or raise InvalidInput naming `name`.

    It is one line without `:`, which ends the name in HTTP Basic (RFC 7617), and not in the form
    of an id, which may stand in its place.
    """
    if not name.strip() or name != name.strip():
        raise InvalidInput("name", "must not be empty, nor begin or end with a space")
    check_line("name", name, most=NAME_LENGTH)
    if ":" in name:
        raise InvalidInput("name", "must not contain ':'")
    if _ID.match(name):
        raise InvalidInput("name", "must not look like an id")
    return name


def write_verifier_credential(verifier_id: UUID, secret: Secret) -> Secret:
    """Return the full credential of a verifier."""
    return write_value(PREFIX, verifier_id, secret)


def is_verifier_credential(text: str) -> bool:
    """Tell whether a text means to be the credential of a verifier, well-formed or not."""
    return text.startswith(f"{PREFIX}_")


def parse_verifier_credential(text: str) -> PresentedVerifier | None:
    """Read the text a verifier sent; None if it is not in canonical form. No I/O."""
    found = parse_value(text, (PREFIX,))
    return None if found is None else PresentedVerifier(*found)
