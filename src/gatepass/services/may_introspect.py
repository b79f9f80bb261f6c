"""Tell whether somebody may see what a token is."""

from uuid import UUID

from gatepass.errors import NotFound
from gatepass.model.actor import Actor
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def may_introspect(deps: Deps, actor: Actor, owner_id: UUID | None) -> bool:
    """Tell whether a token of this owner is the actor's to see; with the actor's own id, whether they may ask at all.

    Raises NotAuthenticated if the actor's credential is dead by now, NotAllowed if it is none that
    asks about tokens.
    """
    with deps.store.read() as tx:
        try:
            authorise(tx, actor, Action.INTROSPECT_TOKEN, now=deps.clock.now(), owner_id=owner_id)
        except NotFound:
            return False
        return True
