"""What one request requires of a token; checked after the cache, by every door with this code."""

from gatepass.model.network import Address, contains
from gatepass.model.rights import FULL_ACCESS
from gatepass.model.scope import MOST_SCOPES, covers_all, is_scope
from gatepass.model.value import Value
from gatepass.model.verdict import Accepted, Reason


class Requirements(Value):
    """What is asked, by whom, from where."""

    __slots__ = ("audience", "client", "scopes")

    def __init__(
        self, scopes: tuple[str, ...] = (), audience: str | None = None, client: Address | None = None
    ) -> None:
        """Require that all of `scopes` are covered.

        `audience` is the service that asks: a token with an audience is refused unless this is in it.
        `client` is where the request comes from: a token with networks is refused when that is not known.
        """
        self.scopes = scopes
        self.audience = audience
        self.client = client


NOTHING = Requirements()
OWN_AUDIENCE = "gatepass"
"""What the API of Gatepass itself is called in the audience of a token."""

_MOST_FIELDS = 100


def read_requirements(query: bytes, *, client: Address | None = None, names_audience: bool) -> Requirements | None:
    """Return what the query of a gateway demands: `scope` (repeatable, space-separated) and `audience`.

    None if that cannot be read: nothing meets it. `names_audience`: whether `audience` counts here.
    """
    if not query:
        return Requirements(client=client)
    from urllib.parse import parse_qsl  # noqa: PLC0415  an application that embeds a verifier has no query to read

    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    demands = [value for name, value in pairs if name == "scope"]
    scopes = tuple(dict.fromkeys(scope for value in demands for scope in value.split(" ") if scope))
    # SECURITY: a demand that came out empty, such as a variable nobody set, must not open the door.
    if not all(value.strip(" ") for value in demands):
        return None
    audiences = [value for name, value in pairs if name == "audience"] if names_audience else []
    if len(scopes) > MOST_SCOPES or not all(map(is_scope, scopes)) or len(audiences) > 1:
        return None
    return Requirements(scopes, audiences[0] if audiences else None, client)


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
