"""Get one person."""

from uuid import UUID

from gatepass.errors import NotFound
from gatepass.model.actor import Actor
from gatepass.model.user import User
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def get_user(deps: Deps, actor: Actor, user_id: UUID) -> User:
    """Return a person, to themselves or an administrator. Raises NotFound otherwise."""
    with deps.store.read() as tx:
        authorise(tx, actor, Action.GET_USER, now=deps.clock.now(), owner_id=user_id, subject_id=user_id)
        user = tx.users.find(user_id)
        if user is None:
            raise NotFound("there is no such person")
        return user
