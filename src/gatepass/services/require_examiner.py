"""Only those who may try identity providers see how they are configured."""

from gatepass.model.actor import Actor
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def require_examiner(deps: Deps, actor: Actor) -> None:
    """Raise NotAllowed unless the actor may try identity providers, NotAuthenticated if they are nobody by now."""
    with deps.store.read() as tx:
        authorise(tx, actor, Action.EXAMINE_PROVIDERS, now=deps.clock.now())
