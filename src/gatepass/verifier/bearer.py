"""The bearer token of a request (RFC 6750, section 2.1), read the same way at every door."""

from collections.abc import Sequence

_SCHEME = "bearer"


def read_bearer(value: str) -> str | None:
    """Return what stands behind `Bearer` in the value of one Authorization header; None for anything else.

    The scheme is compared without case (RFC 9110, 11.1), one space follows. Nothing is trimmed: a
    second space belongs to the text, which is then no token.
    """
    scheme, _, text = value.partition(" ")
    return text or None if scheme.lower() == _SCHEME else None


def bearer_of(values: Sequence[str]) -> str | None:
    """Return the token text of a request with these Authorization headers; None unless there is exactly one."""
    # SECURITY: with two of them, a gateway may have looked at the other one.
    return read_bearer(values[0]) if len(values) == 1 else None
