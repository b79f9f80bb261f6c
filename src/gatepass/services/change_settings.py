"""Change the settings."""

from collections.abc import Mapping
from typing import Any

from gatepass.model.actor import Actor
from gatepass.model.change import ChangeKind
from gatepass.model.event import SettingsChanged
from gatepass.model.settings import Settings
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event


def change_settings(deps: Deps, actor: Actor, changes: Mapping[str, Any]) -> Settings:
    """Change the named settings together, or none, and return all of them.

    They hold from the moment this returns. Raises InvalidInput naming the setting, and NotAllowed.
    """
    now = deps.clock.now()
    with deps.store.write() as tx:
        authorise(tx, actor, Action.CHANGE_SETTINGS, now=now)
        before = tx.settings.load()
        after = before.changed(changes)
        old, new = before.public(), after.public()
        differing = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
        if differing:
            tx.settings.save(after)
            tx.changes.add(ChangeKind.EVERYTHING)
            record_event(tx, actor, SettingsChanged(changes=differing), now=now)
        return after
