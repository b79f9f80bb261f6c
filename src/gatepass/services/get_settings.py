"""Get the settings."""

from gatepass.model.actor import Actor
from gatepass.model.settings import Settings
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def get_settings(deps: Deps, actor: Actor) -> Settings:
    """Return all settings, to administrators and the console."""
    with deps.store.read() as tx:
        authorise(tx, actor, Action.READ_SETTINGS, now=deps.clock.now())
        return tx.settings.load()
