"""Remember the browser where somebody has just shown their password."""

from gatepass.interfaces import Transaction
from gatepass.model.device import MOST_DEVICES, Device
from gatepass.model.secret import Secret, generate_handle, sha256
from gatepass.services.check_password import Proof
from gatepass.services.deps import Deps


def remember_device(deps: Deps, tx: Transaction, proof: Proof, *, replaced: Secret | None) -> Secret | None:
    """Keep a new device and return the handle for its cookie; None if the proof is no password.

    What the browser had before (`replaced`) is forgotten, whoever's it was. The eleventh of a user forgets the oldest.
    """
    if proof.login is None:
        return None
    user, handle = proof.user, generate_handle()
    if replaced is not None and replaced.reveal().isascii():
        tx.devices.remove(sha256(replaced.reveal()))
    throttle, account = deps.throttle, proof.reference
    tx.devices.add(
        Device(
            handle_hash=sha256(handle.reveal()),
            user_id=user.id,
            name_key=throttle.name_key(proof.login),
            account_key=throttle.provider_account_key(user.provider, account) if account is not None else None,
            made_at=deps.clock.now(),
        )
    )
    for old in tx.devices.list(user.id)[:-MOST_DEVICES]:
        tx.devices.remove(old.handle_hash)
    return handle
