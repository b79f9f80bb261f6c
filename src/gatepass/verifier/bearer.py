"""The token of a request: `Authorization: Bearer …` (RFC 6750, 2.1), and nothing else."""

from collections.abc import Sequence

REALM = "gatepass"


def find_bearer(authorization: Sequence[str]) -> str | None:
    """Return the text sent as a token, given the values of all Authorization headers; it is not judged yet.

    None if there is none that could be one: no header, two of them, another scheme, or no text after
    the one space. What follows the space is taken as it is: a token has one spelling.
    """
    if len(authorization) != 1:
        return None
    scheme, _, text = authorization[0].partition(" ")
    return text if text and scheme.lower() == "bearer" else None


def challenge(*, error: str | None = None, scope: str | None = None) -> str:
    """Return the value of WWW-Authenticate (RFC 6750, 3).

    `error` is `invalid_token` when a token was sent and refused, `insufficient_scope` when it is good
    and not enough; `scope` then says what would be.
    """
    parts = [f'Bearer realm="{REALM}"']
    if error is not None:
        parts.append(f'error="{error}"')
    if scope:
        parts.append(f'scope="{scope}"')
    return ", ".join(parts)
