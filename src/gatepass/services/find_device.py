"""Find out whether a browser is one where this person signed in before."""

import hmac

from gatepass.interfaces import Transaction
from gatepass.model.device import Device
from gatepass.model.secret import Secret, sha256
from gatepass.model.user import User
from gatepass.services.deps import Deps


def find_device(deps: Deps, tx: Transaction, handle: Secret, *, login: str, user: User | None) -> Device | None:
    """Return the device of a handle if it belongs to `user`, or, with None, to whoever signs in elsewhere as `login`.

    None for every other handle alike: unknown, too old, somebody else's.
    """
    text = handle.reveal()
    device = tx.devices.find(sha256(text)) if text and text.isascii() else None
    if device is None or device.is_over(deps.clock.now()):
        return None
    # SECURITY: a device of one person opens nothing at another's account.
    if user is not None:
        return device if device.user_id == user.id else None
    is_local = device.account_key is None
    return None if is_local or not hmac.compare_digest(device.name_key, deps.throttle.name_key(login)) else device
