"""Delete somebody because their directory did."""

from uuid import UUID

from gatepass.model.actor import Actor
from gatepass.services.access import Action, authorise
from gatepass.services.delete_user import apply_deletion
from gatepass.services.deps import Deps
from gatepass.services.get_pushed_user import find_pushed


def delete_pushed_user(deps: Deps, actor: Actor, user_id: UUID) -> None:
    """Delete one of the directory's people for good, as an administrator would.

    Raises NotAllowed, NotFound, and Conflict for the last administrator.
    """
    now = deps.clock.now()
    with deps.store.write() as tx:
        authorise(tx, actor, Action.PUSH_USERS, now=now)
        apply_deletion(tx, actor, find_pushed(tx, actor, user_id), now=now)
