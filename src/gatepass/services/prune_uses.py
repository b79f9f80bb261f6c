"""Prune the counts of token uses that are too old to be shown."""

from gatepass.model.use import USES_KEPT, hour_of
from gatepass.services.deps import Deps

_BATCH = 5_000
"""Counts a transaction removes, so that nobody waits long for the one writer."""


def prune_uses(deps: Deps) -> int:
    """Remove counts older than USES_KEPT, in short transactions; return how many. Changes no record of a token."""
    before, total, removed = hour_of(deps.clock.now() - USES_KEPT), 0, _BATCH
    while removed == _BATCH:
        with deps.store.write_uses() as tx:
            removed = tx.uses.prune(before, limit=_BATCH)
        total += removed
    return total
