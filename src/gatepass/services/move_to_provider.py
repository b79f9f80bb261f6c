"""Move one's account to an identity provider: from then on one signs in there, and nowhere else."""

from collections.abc import Mapping
from dataclasses import replace

from gatepass.errors import Conflict, InvalidInput, NotAuthenticated
from gatepass.interfaces import ConfiguredProvider, Transaction
from gatepass.model.actor import Actor, Credential
from gatepass.model.event import SignInRefused, UserMoved
from gatepass.model.identity import Finished, Refusal, check_subject
from gatepass.model.text import shorten
from gatepass.model.user import NAME_LENGTH, User
from gatepass.services.access import Action, authorise
from gatepass.services.admit_identity import spent_key
from gatepass.services.change_user import apply_change
from gatepass.services.check_password import Proof
from gatepass.services.deps import Deps
from gatepass.services.last_admin import require_a_local_admin_left
from gatepass.services.record_event import record_event
from gatepass.services.require_local import require_local
from gatepass.services.settle import outcome
from gatepass.services.start_session import StartedSession, start_session

_SAID: Mapping[Refusal, str] = {
    Refusal.REPLAYED: "what the provider answered was used before; begin again",
    Refusal.INVALID: "what the provider calls that person cannot be kept here",
    Refusal.HERE_ALREADY: "that person has an account here already; it has to be deleted first",
    Refusal.LOST_GROUP: "that person is in none of the groups that may sign in",
}


def move_to_provider(deps: Deps, actor: Actor, finished: Finished, *, user_agent: str | None = None) -> StartedSession:
    """Make the actor the person for whom a provider vouches, and start a session by its word.

    Both are proven: the actor typed the password here lately, and `finished` is what the provider says of this
    very browser, or of a password typed with it. They keep their id and their tokens; their password is gone,
    their sessions end, and their rights go by their groups there, as at each sign-in.

    Raises Conflict if the provider's person cannot be theirs, for somebody who signs in elsewhere already, and
    if nobody else who administers would have a password here; and what `authorise` raises.
    """
    configured = deps.providers.get(finished.identity.provider)
    if configured is None:
        raise NotAuthenticated
    with deps.store.write() as tx:
        moved, why = _moved(deps, tx, actor, finished, configured)
    # SECURITY: raised only now: the transaction keeps the record.
    if why is not None:
        raise Conflict(_SAID[why])
    return start_session(
        deps,
        Proof(moved, password_at=None, reference=finished.identity.reference),
        Credential.PROVIDER,
        address=actor.address,
        user_agent=user_agent,
        request_id=actor.request_id,
    )


def _moved(
    deps: Deps, tx: Transaction, actor: Actor, finished: Finished, configured: ConfiguredProvider
) -> tuple[User, Refusal | None]:
    """Return who the actor is now, and why they were not moved, if so."""
    identity, now = finished.identity, deps.clock.now()
    before = authorise(tx, actor, Action.MOVE_TO_PROVIDER, now=now, owner_id=actor.user_id)
    if before is None:
        raise NotAuthenticated
    require_local(before)
    require_a_local_admin_left(tx, before)
    name = shorten(identity.login, most=NAME_LENGTH)
    obstacle = _obstacle(tx, finished)
    there = replace(before, provider=identity.provider, subject=identity.subject, updated_at=now)
    after, lost = outcome(tx, there, identity, configured.admission, now=now)
    why = obstacle or lost
    if why is not None:
        refused = SignInRefused(
            subject_id=before.id, owner_id=before.id, provider=configured.id, reason=why.value, name=name
        )
        record_event(tx, actor, refused, now=now)
        return before, why
    apply_change(tx, actor, before, after, now=now)
    tx.users.set_password(after.id, None)
    tx.sessions.remove_of(after.id)
    tx.devices.remove_of(after.id)
    tx.users.note_sign_in(after.id, now)
    tx.users.note_checked(after.id, now)
    told = UserMoved(subject_id=after.id, owner_id=after.id, provider=configured.id, name=name)
    record_event(tx, actor, told, now=now)
    return after, None


def _obstacle(tx: Transaction, finished: Finished) -> Refusal | None:
    """Return why that person of the provider can be nobody here, if so. Takes what must not be taken twice."""
    identity = finished.identity
    if not all(tx.spent.add(spent_key(identity.provider, each), each.until) for each in finished.once):
        return Refusal.REPLAYED
    try:
        check_subject(identity.subject)
    except InvalidInput:
        return Refusal.INVALID
    # SECURITY: an account that exists is neither given away nor merged, whoever proved what.
    holder = tx.users.find_by_subject(identity.provider, identity.subject)
    return Refusal.HERE_ALREADY if holder is not None else None
