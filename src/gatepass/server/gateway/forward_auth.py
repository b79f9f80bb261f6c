"""Forward auth: `/verify` for nginx, Caddy, Traefik, Envoy and others.

200 with identity headers, 401 for everything that is not an accepted token, 403 for one that lacks
a scope that is demanded, 503 when that cannot be known. Bodies are empty (one would cost nginx the
connection), and on 200 every identity header is sent even when it is empty (some gateways would let
the client's own through).
"""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatepass.errors import InvalidInput
from gatepass.model.instant import iso
from gatepass.model.rights import Rights
from gatepass.model.verdict import Accepted, Reason, Rejected
from gatepass.server.authentication import BEARER_CHALLENGE, Bearer, challenges, judge, presented_by
from gatepass.server.context import context_of
from gatepass.server.problems import headers_of, problem_of
from gatepass.server.requirements import demanded_by
from gatepass.verifier.requirements import Requirements

_EXACT = "/verify"
_ALL_SCOPES = "*"
_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


async def verify(request: Request) -> Response:
    """Judge the bearer token of a forwarded request, in the event loop: it takes microseconds."""
    request.state.route = "/verify"
    context = context_of(request)
    demanded = None
    try:
        presented = presented_by(request, context)
        # SECURITY: below /verify/ some gateways append the client's own query. It may add to the scopes
        # demanded, but never say for which service the token has to be meant.
        demanded = demanded_by(context, request, names_audience=request.scope["path"] == _EXACT)
        verdict = None
        if isinstance(presented, Bearer):
            verdict = judge(context, request, presented.text, demanded, door="verify")
    except InvalidInput:
        presented, verdict = None, None
    except Exception as error:  # noqa: BLE001  SECURITY: whatever fails here is an outage, never a verdict
        return refusal(request, error)
    if isinstance(verdict, Accepted):
        context.uses.record(verdict.token_id)
        return _empty(200, identity_headers(verdict))
    if isinstance(verdict, Rejected) and verdict.reason is Reason.SCOPE:
        return _empty(403, {"www-authenticate": _too_narrow(demanded)})
    rejected = isinstance(presented, Bearer)
    return _empty(401, {"www-authenticate": challenges(request, with_basic=False, rejected=rejected)[0]})


def refusal(request: Request, error: Exception) -> Response:
    """Answer that it cannot be known, or that there is no such route."""
    request.state.error = error
    return _empty(problem_of(error).status, headers_of(error))


def identity_headers(verdict: Accepted) -> dict[str, str]:
    """Return what the gateway may pass on. Values are printable ASCII, others percent-encoded."""
    return {
        "x-gatepass-user": quote(verdict.owner_name, safe=_PRINTABLE),
        "x-gatepass-user-id": str(verdict.owner_id),
        "x-gatepass-token-id": str(verdict.token_id),
        "x-gatepass-scopes": _written(verdict.rights),
        "x-gatepass-expires": iso(verdict.expires_at) if verdict.expires_at else "",
        "x-gatepass-assertion": "",
    }


def _written(rights: Rights) -> str:
    return _ALL_SCOPES if rights.scopes is None else " ".join(rights.scopes)


def _too_narrow(demanded: Requirements | None) -> str:
    """Return the challenge of RFC 6750 3.1; it names the scopes if they could be read."""
    named = f', scope="{" ".join(demanded.scopes)}"' if demanded else ""
    return f'{BEARER_CHALLENGE}, error="insufficient_scope"{named}'


def _empty(status: int, headers: dict[str, str]) -> Response:
    return Response(b"", status, {"content-length": "0", "cache-control": "no-store", **headers})


def _any_method(path: str) -> Route:
    route = Route(path, verify)
    route.methods = None
    return route


ROUTES = (_any_method("/verify"), _any_method("/verify/{path:path}"))
