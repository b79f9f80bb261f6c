"""Type the password again in a session."""

from dataclasses import replace

from gatepass.errors import NotAuthenticated
from gatepass.model.actor import Actor
from gatepass.model.event import SessionProven
from gatepass.model.secret import Secret, generate_handle, generate_id, sha256
from gatepass.services.access import Action, authorise
from gatepass.services.check_password import check_password
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event
from gatepass.services.sign_in import StartedSession


def prove_session(deps: Deps, actor: Actor, password: Secret) -> StartedSession:
    """Replace the actor's session by a fresh one with a new handle; the old handle is dead.

    It ends when the old one would have, 12 hours after the sign-in. Raises NotAuthenticated for
    a wrong password or a session that is over, TooManyRequests as `check_password` does.
    """
    with deps.store.read() as tx:
        user = authorise(tx, actor, Action.MANAGE_SESSIONS, now=deps.clock.now(), owner_id=actor.user_id)
    if user is None or actor.credential_id is None:
        raise NotAuthenticated
    proof = check_password(
        deps, email=user.email, password=password, address=actor.address, request_id=actor.request_id
    )
    now = deps.clock.now()
    handle = generate_handle()
    with deps.store.write() as tx:
        authorise(tx, actor, Action.MANAGE_SESSIONS, now=now, owner_id=actor.user_id)
        proof.require_still_good(tx)
        old = tx.sessions.find_by_id(actor.credential_id)
        if old is None or not tx.sessions.remove(old.id):
            raise NotAuthenticated
        session = replace(old, id=generate_id(now), handle_hash=sha256(handle.reveal()), proven_at=now, seen_at=now)
        tx.sessions.add(session)
        record_event(tx, actor, SessionProven(subject_id=session.id, owner_id=session.user_id), now=now)
    return StartedSession(session, handle)
