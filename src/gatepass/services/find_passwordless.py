"""Tell who of some people has no password yet, and may be given a one-time link."""

from collections.abc import Collection
from uuid import UUID

from gatepass.model.actor import Actor
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def find_passwordless(deps: Deps, actor: Actor, user_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return those of `user_ids` who could sign in here and have no password, for administrators."""
    with deps.store.read() as tx:
        authorise(tx, actor, Action.LIST_USERS, now=deps.clock.now())
        if not deps.local_sign_in:
            return frozenset()
        found = (tx.users.find(user_id) for user_id in user_ids)
        local = (user.id for user in found if user is not None and user.is_local)
        return frozenset(user_id for user_id in local if tx.users.find_password(user_id) is None)
