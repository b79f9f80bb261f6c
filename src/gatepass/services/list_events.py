"""List the audit records."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from gatepass.interfaces import Page
from gatepass.model.actor import Actor
from gatepass.model.event import EventRecord
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def list_events(
    deps: Deps, actor: Actor, *, page: Page, actions: Iterable[str] | None = None, about: UUID | None = None
) -> Sequence[EventRecord]:
    """Return a page of audit records, for administrators. See `EventRepository.list`."""
    with deps.store.read() as tx:
        authorise(tx, actor, Action.LIST_EVENTS, now=deps.clock.now())
        return tx.events.list(page, actions=actions, about=about)
