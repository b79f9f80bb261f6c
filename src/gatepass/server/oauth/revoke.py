"""Revocation (RFC 7009): whoever holds a token ends it, without knowing its id."""

from collections.abc import Mapping

from gatepass.errors import Disabled, Gone, InvalidInput, NotFound
from gatepass.model.actor import Actor, Credential
from gatepass.model.presented import parse_token
from gatepass.model.registered_verifier import is_verifier_credential
from gatepass.model.verdict import Accepted, Reason
from gatepass.server.oauth.answers import Answer, UnauthorizedClient, UnsupportedTokenType, empty
from gatepass.server.oauth.introspect import Judge
from gatepass.services.deps import Deps
from gatepass.services.revoke_token import revoke_token

_NOTHING_TO_REVOKE = frozenset({Reason.MALFORMED, Reason.UNKNOWN, Reason.DELETED})


def revoke(deps: Deps, judge: Judge, actor: Actor, fields: Mapping[str, str]) -> Answer:
    """End the token that the form names, for its owner or an administrator.

    The same 200 for a token that is no token or was revoked before: it is dead. Raises
    UnauthorizedClient for somebody else's and for verifiers, UnsupportedTokenType for what cannot
    be revoked here, and Unavailable: then the token may be alive.
    """
    if actor.credential is Credential.VERIFIER:
        raise UnauthorizedClient("a registered verifier may not revoke tokens")
    text = fields.get("token", "")
    if not text:
        raise InvalidInput("token", "is required")
    if is_verifier_credential(text):
        raise UnsupportedTokenType("token", "is no access token; `gatepass verifiers remove` ends a verifier")
    presented = parse_token(text)
    if presented is None:
        return empty(result=Reason.MALFORMED.value)
    verdict = judge(presented)
    result = "accepted" if isinstance(verdict, Accepted) else verdict.reason.value
    if not isinstance(verdict, Accepted) and verdict.reason in _NOTHING_TO_REVOKE:
        return empty(result=result, token_id=verdict.token_id)
    # SECURITY: also a token that is refused at present, for example because its owner is disabled:
    # it could come back to life, and 200 says that it will not.
    try:
        revoke_token(deps, actor, presented.id)
    except Gone:
        pass  # somebody else was faster
    except Disabled:
        raise UnsupportedTokenType("token", "cannot be revoked while tokens are switched off") from None
    except NotFound:
        raise UnauthorizedClient("the token is somebody else's") from None
    return empty(result=result, token_id=presented.id)
