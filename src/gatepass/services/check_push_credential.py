"""Check the credential of a directory that pushes its people."""

import hmac

from gatepass.interfaces import ConfiguredProvider
from gatepass.model.secret import Secret, sha256
from gatepass.services.deps import Deps


def check_push_credential(deps: Deps, credential: Secret) -> ConfiguredProvider | None:
    """Return the one provider whose directory has this credential; None if it is nobody's."""
    text = credential.reveal()
    digest = sha256(text if text.isascii() else "")
    found = None
    # SECURITY: all of them are compared, in constant time: neither how much fits nor whose it is can be measured.
    for configured in deps.providers.values():
        for each in configured.push_digests:
            if hmac.compare_digest(each, digest):
                found = configured
    return found
