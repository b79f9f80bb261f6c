"""Judge a presented token by what is stored."""

import hmac

from gatepass.interfaces import Keyring, Verification
from gatepass.model.presented import PresentedToken
from gatepass.model.secret import sha256
from gatepass.model.token import token_mac
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict

_DUMMY_MAC = sha256("no token has this mac")


def judge_token(  # noqa: PLR0911  one return for each reason
    found: Verification | None, presented: PresentedToken, *, keyring: Keyring
) -> Verdict:
    """Return the verdict, which holds until something stored changes: the time and the request are not in it.

    An accepted token may have expired. Raises Unavailable if a pepper is out of reach.
    """
    if found is None:
        _, pepper = keyring.current_pepper()
        # SECURITY: an unknown id costs what a known one does.
        hmac.compare_digest(token_mac(pepper, presented.digest), _DUMMY_MAC)
        return Rejected(Reason.UNKNOWN)
    token, owner = found.token, found.owner
    if token.revoked_at is not None:
        return Rejected(Reason.DELETED, token.id)
    if not hmac.compare_digest(token_mac(keyring.pepper(token.pepper), presented.digest), token.mac):
        return Rejected(Reason.UNKNOWN)
    if owner.deleted_at is not None:
        return Rejected(Reason.OWNER_DELETED, token.id)
    if owner.disabled_at is not None:
        return Rejected(Reason.OWNER_DISABLED, token.id)
    if not found.enabled:
        return Rejected(Reason.FEATURE_OFF, token.id)
    return Accepted(token.id, owner.id, owner.email, token.expires_at, token.rights)
