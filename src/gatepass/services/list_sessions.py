"""List one's own sessions."""

from collections.abc import Sequence

from gatepass.model.actor import Actor
from gatepass.model.session import Session
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def list_sessions(deps: Deps, actor: Actor) -> Sequence[Session]:
    """Return the actor's sessions that are not over, the latest first."""
    now = deps.clock.now()
    with deps.store.read() as tx:
        user = authorise(tx, actor, Action.MANAGE_SESSIONS, now=now, owner_id=actor.user_id)
        found = tx.sessions.list(user.id) if user else []
        return [session for session in reversed(found) if not session.is_over(now)]
