"""Prune what sign-ins leave behind: sessions that are over, failures, unused links, browsers not used for long."""

from gatepass.model.device import DEVICE_LIFETIME
from gatepass.model.session import ABSOLUTE_LIFETIME, IDLE_LIFETIME
from gatepass.services.deps import Deps
from gatepass.services.throttle import WINDOW


def prune_sign_ins(deps: Deps) -> None:
    """Remove rows that can have no effect any more. Their end was decided by time, not by this."""
    now = deps.clock.now()
    with deps.store.write() as tx:
        tx.sessions.prune(seen_before=now - IDLE_LIFETIME, signed_in_before=now - ABSOLUTE_LIFETIME)
        tx.failures.prune(now - WINDOW)
        tx.spent.prune(now)
        tx.devices.prune(now - DEVICE_LIFETIME)
        tx.users.prune_links(now)
