"""What a protected application demands of each request."""

from gatepass.errors import Unavailable
from gatepass.model.network import parse_address
from gatepass.model.scope import check_scopes
from gatepass.model.verdict import Verdict
from gatepass.verifier.answer import ALWAYS, answer_to, outage
from gatepass.verifier.requirements import Requirements

Refusal = tuple[int, list[tuple[str, str]]]
"""The status and the headers of an answer without a body."""


class Demand:
    """The same scopes and audience for every request."""

    def __init__(self, scope: str, *, audience: str | None) -> None:
        """Read `scope`, names separated by spaces. Raises InvalidInput naming `scope`."""
        self.scopes = check_scopes(scope.split(), field="scope")
        self.audience = audience

    def of(self, client: str | None) -> Requirements:
        """Return what is required of a request from the address `client`."""
        return Requirements(self.scopes, self.audience, parse_address(client))

    def refuse(self, cause: Verdict | Unavailable | None) -> Refusal:
        """Return the answer to a token that was refused, to an outage, or to no token at all (None)."""
        answer = outage(cause) if isinstance(cause, Unavailable) else answer_to(cause, self.of(None))
        return answer.status, [*ALWAYS.items(), *answer.headers.items()]
