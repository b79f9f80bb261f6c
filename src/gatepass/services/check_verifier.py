"""Check the credential of a registered verifier."""

import hmac

from gatepass.model.registered_verifier import RegisteredVerifier, parse_verifier_credential
from gatepass.model.secret import Secret, sha256
from gatepass.model.token import token_mac
from gatepass.model.verdict import Reason
from gatepass.services.deps import StoreDeps

_DUMMY_MAC = sha256("no verifier has this mac")


def check_verifier(deps: StoreDeps, credential: Secret) -> RegisteredVerifier | Reason:
    """Return the verifier behind a credential, or why there is none: malformed, unknown or deleted.

    Whoever asked never learns the reason. Raises Unavailable if store or pepper are out of reach.
    """
    presented = parse_verifier_credential(credential.reveal())
    if presented is None:
        return Reason.MALFORMED
    with deps.store.read() as tx:
        found = tx.verifiers.find(presented.id)
    known = found if found is not None and found.removed_at is None else None
    # SECURITY: an unknown or removed verifier costs what a known one does. For neither is the key file read anew.
    pepper = deps.keyring.pepper(known.pepper) if known else deps.keyring.server_key()
    right = hmac.compare_digest(token_mac(pepper, presented.digest), known.mac if known else _DUMMY_MAC)
    if known is not None and right:
        return known
    return Reason.UNKNOWN if found is None or known is not None else Reason.DELETED
