"""What a request came with, read and not judged yet. Nothing here knows a web framework."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from gatepass.errors import InvalidInput
from gatepass.model.secret import Secret
from gatepass.verifier.bearer import read_bearer


@dataclass(frozen=True, slots=True)
class Basic:
    """A name and a password from an Authorization header."""

    email: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Bearer:
    """The text of a token from an Authorization header, not judged yet."""

    text: Secret


@dataclass(frozen=True, slots=True)
class Cookie:
    """The handle of a session."""

    handle: Secret


@dataclass(frozen=True, slots=True)
class Unusable:
    """An Authorization header that nothing can be made of."""


Presented = Basic | Bearer | Cookie | Unusable | None


def read_authorization(values: Sequence[str]) -> Basic | Bearer | Unusable | None:
    """Read the values of all Authorization headers; None for none. Raises InvalidInput for two headers."""
    if len(values) > 1:
        raise InvalidInput("Authorization", "is given twice")
    if not values:
        return None
    scheme, _, rest = values[0].partition(" ")
    if scheme.lower() == "basic":
        return _basic(rest)
    text = read_bearer(values[0])
    return Unusable() if text is None else Bearer(Secret(text))


def _basic(text: str) -> Basic | Unusable:
    """Read RFC 7617 credentials in UTF-8; the first colon ends the name."""
    try:
        name, colon, password = base64.b64decode(text, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return Unusable()
    return Basic(name, Secret(password)) if colon and name else Unusable()
