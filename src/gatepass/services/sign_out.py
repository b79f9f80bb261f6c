"""Sign out: end one of one's own sessions."""

from uuid import UUID

from gatepass.errors import NotFound
from gatepass.model.actor import Actor
from gatepass.model.event import SessionEnded
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event


def sign_out(deps: Deps, actor: Actor, session_id: UUID | None = None) -> None:
    """End one of the actor's own sessions, the present one if none is named.

    Raises NotFound for a session that is not theirs or is over.
    """
    now = deps.clock.now()
    with deps.store.write() as tx:
        authorise(tx, actor, Action.MANAGE_SESSIONS, now=now, owner_id=actor.user_id)
        wanted = session_id or actor.credential_id
        session = tx.sessions.find_by_id(wanted) if wanted else None
        if session is None or session.user_id != actor.user_id:
            raise NotFound("there is no such session")
        tx.sessions.remove(session.id)
        record_event(tx, actor, SessionEnded(subject_id=session.id, owner_id=session.user_id), now=now)
