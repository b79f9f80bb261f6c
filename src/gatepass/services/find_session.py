"""Find the session behind a cookie."""

from dataclasses import replace
from datetime import timedelta

from gatepass.model.secret import Secret, sha256
from gatepass.model.session import Session
from gatepass.model.user import User
from gatepass.services.deps import Deps
from gatepass.services.local_sign_in import sign_in_counts

_SEEN_EVERY = timedelta(seconds=30)


def find_session(deps: Deps, handle: Secret) -> tuple[Session, User] | None:
    """Return the live session of a handle with its user, and note that it was seen.

    None if there is none, it is over, its user is disabled or gone, or they signed in here where that counts no
    more. The idle time is counted in steps of 30 seconds, never to the longer side.
    """
    text = handle.reveal()
    if not text.isascii():
        return None
    now = deps.clock.now()
    with deps.store.read() as tx:
        session = tx.sessions.find(sha256(text))
        user = tx.users.find(session.user_id) if session else None
        if session is None or user is None or session.is_over(now) or not user.is_live:
            return None
        if not sign_in_counts(deps, tx, user, session.signed_in_at):
            return None
    if now - session.seen_at >= _SEEN_EVERY:
        with deps.store.write() as tx:
            tx.sessions.update(replace(session, seen_at=now))
    return session, user
