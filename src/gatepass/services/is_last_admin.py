"""Tell whether somebody is the last administrator, before one tries to change that."""

from uuid import UUID

from gatepass.model.actor import Actor
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def is_last_admin(deps: Deps, actor: Actor, user_id: UUID) -> bool:
    """Tell it to administrators: nobody else could administer without `user_id`."""
    with deps.store.read() as tx:
        authorise(tx, actor, Action.LIST_USERS, now=deps.clock.now())
        user = tx.users.find(user_id)
        return user is not None and user.is_admin and user.is_live and tx.users.counts().live_admins == 1
