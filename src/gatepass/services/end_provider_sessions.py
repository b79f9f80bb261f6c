"""End the sessions of somebody who signed out at their identity provider."""

from collections.abc import Sequence

from gatepass.errors import NotAuthenticated
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor, Credential
from gatepass.model.event import SessionEnded
from gatepass.model.identity import Ended
from gatepass.model.session import Session
from gatepass.services.admit_identity import spent_key
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event


def end_provider_sessions(
    deps: Deps, ended: Ended, *, address: str | None = None, request_id: str | None = None
) -> int:
    """End what the provider says is over, and return how many sessions that were.

    Tokens live on: they belong to the person, not to a session. Raises NotAuthenticated for a message that was
    taken before.
    """
    now = deps.clock.now()
    actor = Actor(Credential.PROVIDER, address=address, request_id=request_id)
    with deps.store.write() as tx:
        if not tx.spent.add(spent_key(ended.provider, ended.once), ended.once.until):
            raise NotAuthenticated
        sessions = _sessions_of(tx, ended)
        for each in sessions:
            tx.sessions.remove(each.id)
            over = SessionEnded(subject_id=each.id, owner_id=each.user_id, provider=ended.provider)
            record_event(tx, actor, over, now=now)
    return len(sessions)


def _sessions_of(tx: Transaction, ended: Ended) -> Sequence[Session]:
    if ended.subject is None:
        return tx.sessions.list_of_reference(ended.provider, ended.reference) if ended.reference else []
    user = tx.users.find_by_subject(ended.provider, ended.subject)
    return [
        each
        for each in (tx.sessions.list(user.id) if user else ())
        if each.provider == ended.provider and ended.reference in {None, each.reference}
    ]
