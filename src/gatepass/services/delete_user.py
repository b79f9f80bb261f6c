"""Delete a person."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gatepass.errors import NotFound
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor
from gatepass.model.change import ChangeKind
from gatepass.model.event import UserDeleted
from gatepass.model.user import User
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.last_admin import require_an_admin_left, require_one_to_recover
from gatepass.services.record_event import record_event


def delete_user(deps: Deps, actor: Actor, user_id: UUID) -> None:
    """Delete a person for good: password and sessions are gone, every token is dead.

    The same address can be added again; it is then somebody else. Raises NotAllowed, NotFound,
    and Conflict for the last administrator, or the last whom the console could let in.
    """
    now = deps.clock.now()
    with deps.store.write() as tx:
        authorise(tx, actor, Action.DELETE_USER, now=now, owner_id=user_id)
        user = tx.users.find(user_id)
        if user is None:
            raise NotFound("there is no such person")
        require_one_to_recover(deps, tx, user, replace(user, deleted_at=now))
        apply_deletion(tx, actor, user, now=now)


def apply_deletion(tx: Transaction, actor: Actor, user: User, *, now: datetime) -> None:
    """Delete `user`, with all that follows from it. Raises Conflict for the last administrator, and changes nothing."""
    deleted = replace(user, deleted_at=now, updated_at=now)
    require_an_admin_left(tx, user, deleted)
    # The record comes first: it still knows the names of both.
    record_event(tx, actor, UserDeleted(subject_id=user.id, owner_id=user.id, email=user.email), now=now)
    tx.sessions.remove_of(user.id)
    tx.devices.remove_of(user.id)
    tx.users.set_password(user.id, None)
    tx.users.update(deleted)
    tx.changes.add(ChangeKind.OWNER, user.id)
