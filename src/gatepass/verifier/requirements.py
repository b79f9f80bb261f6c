"""What one request requires of a token; checked after the cache, by every door with this code."""

from dataclasses import dataclass

from gatepass.model.network import Address, contains
from gatepass.model.rights import FULL_ACCESS
from gatepass.model.scope import covers_all
from gatepass.model.verdict import Accepted, Reason


@dataclass(frozen=True, slots=True)
class Requirements:
    """What is asked, by whom, from where."""

    scopes: tuple[str, ...] = ()
    """All of these must be covered."""
    audience: str | None = None
    """The service that asks. A token with an audience is refused unless this is in it."""
    client: Address | None = None
    """Where the request comes from. A token with networks is refused when that is not known."""


NOTHING = Requirements()


def find_refusal(accepted: Accepted, requirements: Requirements | None) -> Reason | None:
    """Return why this request may not be made with an otherwise good token; None if it may.

    `requirements` are None if they could not be read.
    """
    if requirements is None:
        return Reason.SCOPE
    rights = accepted.rights
    if rights is FULL_ACCESS:
        return None
    # SECURITY: what a token is restricted to and the request does not tell counts as a mismatch.
    if rights.networks is not None and not (
        requirements.client is not None and contains(rights.networks, requirements.client)
    ):
        return Reason.NETWORK
    if rights.audience is not None and requirements.audience not in rights.audience:
        return Reason.AUDIENCE
    if not covers_all(rights.scopes, requirements.scopes):
        return Reason.SCOPE
    return None
