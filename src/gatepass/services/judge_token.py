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
    if found.is_revoked:
        return Rejected(Reason.DELETED, presented.id)
    if not hmac.compare_digest(token_mac(keyring.pepper(found.pepper), presented.digest), found.mac):
        return Rejected(Reason.UNKNOWN)
    if found.owner_is_deleted:
        return Rejected(Reason.OWNER_DELETED, presented.id)
    if found.owner_is_disabled:
        return Rejected(Reason.OWNER_DISABLED, presented.id)
    if not found.enabled:
        return Rejected(Reason.FEATURE_OFF, presented.id)
    return Accepted(presented.id, found.owner_id, found.owner_name, found.expires_at, found.rights)
