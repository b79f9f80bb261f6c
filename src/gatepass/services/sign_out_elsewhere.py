"""End all of one's sessions but the present one."""

from gatepass.model.actor import Actor
from gatepass.model.event import SessionEnded
from gatepass.model.secret import Secret, sha256
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event


def sign_out_elsewhere(deps: Deps, actor: Actor, *, device: Secret | None = None) -> int:
    """End every other session of the actor; return how many there were.

    No browser but the one with the cookie `device` is remembered any more.
    """
    now = deps.clock.now()
    with deps.store.write() as tx:
        user = authorise(tx, actor, Action.MANAGE_SESSIONS, now=now, owner_id=actor.user_id)
        others = [each for each in tx.sessions.list(user.id) if each.id != actor.credential_id] if user else []
        for session in others:
            tx.sessions.remove(session.id)
            record_event(tx, actor, SessionEnded(subject_id=session.id, owner_id=session.user_id), now=now)
        if user is not None:
            kept = sha256(device.reveal()) if device is not None and device.reveal().isascii() else b""
            tx.devices.remove_of(user.id, but=kept)
        return len(others)
