"""Who asks at an OAuth door: a registered verifier, or a person with a password or a token.

A session never counts here: these doors are for programs.
"""

from urllib.parse import unquote_plus

from starlette.requests import Request

from gatepass.errors import NotAuthenticated
from gatepass.model.actor import Actor, Credential
from gatepass.model.registered_verifier import RegisteredVerifier, is_verifier_credential, name_key
from gatepass.model.secret import Secret
from gatepass.model.verdict import Reason
from gatepass.server.authentication import Basic, Bearer, Cookie, Presented, authenticate
from gatepass.server.context import Context
from gatepass.server.log import get_logger
from gatepass.services.check_verifier import check_verifier

_log = get_logger(__name__)


def authenticate_caller(context: Context, request: Request, presented: Presented) -> Actor:
    """Return who asks, or raise NotAuthenticated or TooManyRequests. Blocks: call it in a thread."""
    credential = verifier_credential(presented)
    if credential is None:
        return authenticate(context, request, None if isinstance(presented, Cookie) else presented)
    name = presented.email if isinstance(presented, Basic) else None
    found = check_verifier(context.deps, credential)
    if isinstance(found, RegisteredVerifier) and name is not None and not _is_called(found, name):
        found = Reason.UNKNOWN
    address, request_id = context.address_of(request), request.state.request_id
    context.metrics.sign_ins.labels("verifier", "refused" if isinstance(found, Reason) else "ok").inc()
    if isinstance(found, Reason):
        _log.info("verifier refused", reason=found.value, address=address, request_id=request_id)
        context.probes.count(address)
        raise NotAuthenticated
    return Actor(Credential.VERIFIER, credential_id=found.id, address=address, request_id=request_id)


def verifier_credential(presented: Presented) -> Secret | None:
    """Return the credential of a verifier from a bearer token or a password, None if it is none."""
    if isinstance(presented, Bearer):
        text = presented.text
    elif isinstance(presented, Basic):
        text = presented.password
    else:
        return None
    return text if is_verifier_credential(text.reveal()) else None


def _is_called(verifier: RegisteredVerifier, name: str) -> bool:
    """Tell whether this is the verifier's name or id, as it is or form-encoded (RFC 6749 section 2.3.1)."""
    said = {name_key(name), name_key(unquote_plus(name))}
    return bool(said & {name_key(verifier.name), str(verifier.id)})
