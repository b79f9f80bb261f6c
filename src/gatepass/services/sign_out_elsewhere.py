"""End all of one's sessions but the present one."""

from gatepass.model.actor import Actor
from gatepass.model.event import SessionEnded
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event


def sign_out_elsewhere(deps: Deps, actor: Actor) -> int:
    """End every other session of the actor; return how many there were."""
    now = deps.clock.now()
    with deps.store.write() as tx:
        user = authorise(tx, actor, Action.MANAGE_SESSIONS, now=now, owner_id=actor.user_id)
        others = [each for each in tx.sessions.list(user.id) if each.id != actor.credential_id] if user else []
        for session in others:
            tx.sessions.remove(session.id)
            record_event(tx, actor, SessionEnded(subject_id=session.id, owner_id=session.user_id), now=now)
        return len(others)
