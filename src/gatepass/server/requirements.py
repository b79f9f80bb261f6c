"""What a request requires of the token it came with, read the same way at every door."""

from starlette.requests import Request

from gatepass.server.context import Context
from gatepass.verifier.requirements import Requirements


def requirements_of(
    context: Context, request: Request, *, scopes: tuple[str, ...] = (), audience: str | None = None
) -> Requirements:
    """Return what is required of a token that comes with `request`, from the client's own address."""
    return Requirements(scopes, audience, context.client_of(request))
