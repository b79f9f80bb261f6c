"""Tell whether somebody is the one way back in, before one tries to change that."""

from uuid import UUID

from gatepass.model.actor import Actor
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.last_admin import is_last_to_recover


def is_needed_to_recover(deps: Deps, actor: Actor, user_id: UUID) -> bool:
    """Tell it to administrators: the console could let in no other administrator than `user_id`."""
    with deps.store.read() as tx:
        authorise(tx, actor, Action.LIST_USERS, now=deps.clock.now())
        user = tx.users.find(user_id)
        return user is not None and is_last_to_recover(deps, tx, user)
