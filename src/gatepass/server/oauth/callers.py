"""Who asks at an OAuth door: a registered verifier, or a person with a password or a token.

A session never counts here: these doors are for programs.
"""

from starlette.requests import Request

from gatepass.errors import NotAuthenticated
from gatepass.model.actor import Actor, Credential
from gatepass.model.verdict import Reason
from gatepass.server.authentication import authenticate
from gatepass.server.context import Context
from gatepass.server.credentials import Cookie, Presented
from gatepass.server.log import get_logger
from gatepass.server.oauth.desk import find_caller, verifier_credential

_log = get_logger(__name__)


def authenticate_caller(context: Context, request: Request, presented: Presented) -> Actor:
    """Return who asks, or raise NotAuthenticated or TooManyRequests. Blocks: call it in a thread."""
    credential = verifier_credential(presented)
    if credential is None:
        return authenticate(context, request, None if isinstance(presented, Cookie) else presented)
    found = find_caller(context.deps, presented, credential)
    address, request_id = context.address_of(request), request.state.request_id
    context.metrics.sign_ins.labels("verifier", "refused" if isinstance(found, Reason) else "ok").inc()
    if isinstance(found, Reason):
        _log.info("verifier refused", reason=found.value, address=address, request_id=request_id)
        context.probes.count(address)
        raise NotAuthenticated
    return Actor(Credential.VERIFIER, credential_id=found.id, address=address, request_id=request_id)
