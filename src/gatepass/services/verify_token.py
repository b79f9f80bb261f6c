"""Verify a presented token."""

import hmac

from gatepass.model.secret import sha256
from gatepass.model.token import PresentedToken, is_expired, parse_token, token_mac
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict
from gatepass.services.deps import Deps

_DUMMY_MAC = sha256("no token has this mac")


def verify_token(deps: Deps, text: str) -> Verdict:
    """Judge the text that a client sent as its token, at this moment.

    Text that is not in canonical form never reaches the store. Raises Unavailable if the store or
    a pepper is out of reach: an outage is not a verdict.
    """
    presented = parse_token(text)
    return Rejected(Reason.MALFORMED) if presented is None else judge_presented(deps, presented)


def judge_presented(deps: Deps, presented: PresentedToken) -> Verdict:  # noqa: PLR0911  one return for each reason
    """Judge a token by its id and digest. Raises Unavailable as `verify_token` does."""
    found = deps.store.find_verification(presented.id)
    if found is None:
        _, pepper = deps.keyring.current_pepper()
        # SECURITY: an unknown id costs what a known one does.
        hmac.compare_digest(token_mac(pepper, presented.digest), _DUMMY_MAC)
        return Rejected(Reason.UNKNOWN)
    token, owner = found.token, found.owner
    if token.revoked_at is not None:
        return Rejected(Reason.DELETED, token.id)
    if not hmac.compare_digest(token_mac(deps.keyring.pepper(token.pepper), presented.digest), token.mac):
        return Rejected(Reason.UNKNOWN)
    if owner.deleted_at is not None:
        return Rejected(Reason.OWNER_DELETED, token.id)
    if owner.disabled_at is not None:
        return Rejected(Reason.OWNER_DISABLED, token.id)
    if is_expired(token.expires_at, deps.clock.now()):
        return Rejected(Reason.EXPIRED, token.id)
    if not found.enabled:
        return Rejected(Reason.FEATURE_OFF, token.id)
    return Accepted(token.id, owner.id, owner.email, token.expires_at)
