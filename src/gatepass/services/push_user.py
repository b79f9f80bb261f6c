"""Add somebody whom their directory pushes, before they sign in for the first time or instead."""

from gatepass.errors import InvalidInput, NotUnique
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor
from gatepass.model.event import UserCreated, UserDisabled
from gatepass.model.identity import Refusal, check_subject
from gatepass.model.pushed import Pushed
from gatepass.model.secret import generate_id
from gatepass.model.user import User, check_email, check_name
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event


def push_user(deps: Deps, actor: Actor, pushed: Pushed) -> User:
    """Add somebody of the actor's directory: whoever signs in with that subject is them.

    They are no administrator, and of no group until they sign in. Raises NotAllowed, InvalidInput, and NotUnique if
    the subject or the name is taken; nobody is linked to an account that exists.
    """
    now, provider = deps.clock.now(), actor.provider or ""
    if pushed.subject is None or pushed.email is None:
        raise InvalidInput("person", "needs a subject and a name")
    subject, email, name = check_subject(pushed.subject), check_email(pushed.email), check_name(pushed.name or None)
    with deps.store.write() as tx:
        authorise(tx, actor, Action.PUSH_USERS, now=now)
        if tx.users.find_by_subject(provider, subject) is not None:
            raise NotUnique("this person of the directory is here already")
        require_free_name(tx, email)
        is_lost = pushed.is_active is False
        user = User(
            id=generate_id(now),
            email=email,
            name=name,
            is_admin=False,
            created_at=now,
            updated_at=now,
            disabled_at=now if is_lost else None,
            provider=provider,
            subject=subject,
            may_generate=None if deps.providers[provider].admission.generate_groups is None else False,
            lost=Refusal.DEACTIVATED.value if is_lost else None,
        )
        tx.users.add(user)
        made = UserCreated(subject_id=user.id, owner_id=user.id, email=email, is_admin=False, provider=provider)
        record_event(tx, actor, made, now=now)
        if is_lost:
            disabled = UserDisabled(subject_id=user.id, owner_id=user.id, provider=provider, reason=user.lost)
            record_event(tx, actor, disabled, now=now)
    return user


def require_free_name(tx: Transaction, email: str, *, except_for: User | None = None) -> None:
    """Raise NotUnique if somebody else has this name."""
    holder = tx.users.find_by_email(email)
    if holder is not None and (except_for is None or holder.id != except_for.id):
        raise NotUnique("somebody has this name here already")
