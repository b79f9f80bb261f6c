"""List people."""

from collections.abc import Sequence

from gatepass.interfaces import Page, UserFilter
from gatepass.model.actor import Actor
from gatepass.model.user import User
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def list_users(
    deps: Deps, actor: Actor, *, page: Page, prefix: str | None = None, only: UserFilter | None = None
) -> Sequence[User]:
    """Return a page of people, for administrators. See `UserRepository.list`."""
    with deps.store.read() as tx:
        authorise(tx, actor, Action.LIST_USERS, now=deps.clock.now())
        return tx.users.list(page, prefix=prefix, only=only)
