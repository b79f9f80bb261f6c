"""What a protected application demands of each request, and how it refuses one."""

from dataclasses import dataclass

from gatepass.errors import Unavailable
from gatepass.model.network import parse_address
from gatepass.model.scope import check_scopes
from gatepass.model.verdict import Reason, Rejected
from gatepass.verifier.bearer import challenge
from gatepass.verifier.requirements import Requirements


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer without a body."""

    status: int
    headers: tuple[tuple[str, str], ...]


class Demand:
    """The same scopes and audience for every request."""

    def __init__(self, scope: str, *, audience: str | None) -> None:
        """Read `scope`, names separated by spaces. Raises InvalidInput naming `scope`."""
        self.scopes = check_scopes(scope.split(), field="scope")
        self.audience = audience

    def of(self, client: str | None) -> Requirements:
        """Return what is required of a request from the address `client`."""
        return Requirements(self.scopes, self.audience, parse_address(client))


def refuse(cause: Rejected | Unavailable | None, demand: Demand) -> Refusal:
    """Return the answer to a token that was refused, an outage, or no token at all (None)."""
    if isinstance(cause, Unavailable):
        return _refusal(503, "retry-after", "1")
    if cause is None:
        return _refusal(401, "www-authenticate", challenge())
    if cause.reason is Reason.SCOPE:
        scope = " ".join(demand.scopes)
        return _refusal(403, "www-authenticate", challenge(error="insufficient_scope", scope=scope))
    # All other reasons look alike: a stranger learns nothing from a refusal.
    return _refusal(401, "www-authenticate", challenge(error="invalid_token"))


def _refusal(status: int, name: str, value: str) -> Refusal:
    return Refusal(status, ((name, value), ("content-length", "0"), ("cache-control", "no-store")))
