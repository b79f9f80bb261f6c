"""Tell a registered verifier what has changed."""

from collections.abc import Sequence
from typing import NamedTuple

from gatepass.model.actor import Actor
from gatepass.model.change import Change
from gatepass.services.access import Action, authorise
from gatepass.services.deps import StoreDeps

MOST_TOLD = 10_000
"""Whoever is further behind is told to forget everything: that costs less than so many changes."""


class Progress(NamedTuple):
    """How far changes have come, read at one moment."""

    epoch: str
    head: int
    changes: Sequence[Change] | None
    """Those after what was asked for; None if they are not known, or that was another epoch."""


def follow_changes(deps: StoreDeps, actor: Actor, after: int, *, epoch: str) -> Progress:
    """Return what was committed after revision `after` of `epoch`. For registered verifiers.

    Raises NotAuthenticated for a verifier that was removed meanwhile.
    """
    with deps.store.read() as tx:
        authorise(tx, actor, Action.VERIFY_ELSEWHERE, now=deps.clock.now())
        current, head = tx.changes.epoch(), tx.changes.head()
        is_near = epoch == current and 0 <= head - after <= MOST_TOLD
        return Progress(current, head, tx.changes.list_after(after) if is_near else None)
