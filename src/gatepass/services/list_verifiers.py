"""List the registered verifiers."""

from collections.abc import Sequence

from gatepass.model.actor import Actor
from gatepass.model.registered_verifier import RegisteredVerifier
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def list_verifiers(deps: Deps, actor: Actor) -> Sequence[RegisteredVerifier]:
    """Return the verifiers that are not removed, oldest first, to administrators and the console."""
    with deps.store.read() as tx:
        authorise(tx, actor, Action.LIST_VERIFIERS, now=deps.clock.now())
        return tx.verifiers.list()
