"""What a request requires of the token it came with, read the same way at every door."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from gatepass.model.network import parse_address
from gatepass.model.scope import MOST_SCOPES, is_scope
from gatepass.server.context import Context
from gatepass.verifier.requirements import Requirements

OWN_AUDIENCE = "gatepass"
"""What the API of Gatepass itself is called in the audience of a token."""

_MOST_FIELDS = 100


def requirements_of(
    context: Context, request: Request, *, scopes: tuple[str, ...] = (), audience: str | None = None
) -> Requirements:
    """Return what is required of a token that comes with `request`, from the client's own address."""
    return Requirements(scopes, audience, parse_address(context.address_of(request)))


def demanded_by(context: Context, request: Request, *, names_audience: bool) -> Requirements | None:
    """Return what the query of a gateway demands: `scope` (repeatable, space-separated), `audience`.

    None if that cannot be read: nothing meets it. The audience counts where `names_audience` says so.
    """
    raw = request.scope["query_string"]
    if not raw:
        return requirements_of(context, request)
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    scopes = tuple(
        dict.fromkeys(scope for name, value in pairs if name == "scope" for scope in value.split(" ") if scope)
    )
    audiences = [value for name, value in pairs if name == "audience"] if names_audience else []
    if len(scopes) > MOST_SCOPES or not all(map(is_scope, scopes)) or len(audiences) > 1:
        return None
    return requirements_of(context, request, scopes=scopes, audience=audiences[0] if audiences else None)
