"""Type the password again in a session."""

from dataclasses import replace

from gatepass.errors import NotAuthenticated
from gatepass.model.actor import Actor
from gatepass.model.event import SessionProven
from gatepass.model.secret import Secret, generate_handle, generate_id, sha256
from gatepass.services.access import Action, authorise
from gatepass.services.check_password import check_password_again
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event
from gatepass.services.start_session import StartedSession


def prove_session(deps: Deps, actor: Actor, password: Secret, *, device: Secret | None = None) -> StartedSession:
    """Replace the actor's session by a fresh one with a new handle; the old handle is dead.

    It ends when the old one would have, 12 hours after the sign-in. `device` is what the browser's cookie says.
    Raises NotAuthenticated for a wrong password or a session that is over, TooManyRequests as `check_password` does.
    """
    with deps.store.read() as tx:
        user = authorise(tx, actor, Action.MANAGE_SESSIONS, now=deps.clock.now(), owner_id=actor.user_id)
        session = tx.sessions.find_by_id(actor.credential_id) if actor.credential_id else None
    if user is None or session is None:
        raise NotAuthenticated
    proof = check_password_again(
        deps, session, user, password=password, address=actor.address, request_id=actor.request_id, device=device
    )
    now = deps.clock.now()
    handle = generate_handle()
    with deps.store.write() as tx:
        authorise(tx, actor, Action.MANAGE_SESSIONS, now=now, owner_id=actor.user_id)
        proof.require_still_good(tx)
        old = tx.sessions.find_by_id(session.id)
        if old is None or not tx.sessions.remove(old.id):
            raise NotAuthenticated
        proven = replace(old, id=generate_id(now), handle_hash=sha256(handle.reveal()), proven_at=now, seen_at=now)
        tx.sessions.add(proven)
        record_event(tx, actor, SessionProven(subject_id=proven.id, owner_id=proven.user_id), now=now)
    return StartedSession(proven, handle)
