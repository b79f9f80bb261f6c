"""Return somebody to the directory whose they are."""

from uuid import UUID

from gatepass.errors import NotFound
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor
from gatepass.model.user import User
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def get_pushed_user(deps: Deps, actor: Actor, user_id: UUID) -> User:
    """Return one of the directory's people. Raises NotAllowed, NotFound."""
    with deps.store.read() as tx:
        authorise(tx, actor, Action.PUSH_USERS, now=deps.clock.now())
        return find_pushed(tx, actor, user_id)


def find_pushed(tx: Transaction, actor: Actor, user_id: UUID) -> User:
    """Return one of the actor's people. Raises NotFound for others', too."""
    found = tx.users.find(user_id)
    # SECURITY: a directory learns of nobody else's people, and changes none of them.
    if found is None or found.subject is None or found.provider != actor.provider:
        raise NotFound("there is no such record")
    return found
