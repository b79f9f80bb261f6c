"""Prune the records of tokens that ended long ago."""

from datetime import timedelta

from gatepass.model.actor import SYSTEM
from gatepass.model.event import TokensPruned
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event
from gatepass.services.retry import RETRY_LIFETIME

_BATCH = 200
"""Records a transaction removes, with their counts of uses, so that nobody waits long for the one writer."""

_CHANGES_KEPT = 100_000
"""A verifier that has missed more forgets all it knows."""


def prune_tokens(deps: Deps) -> int:
    """Remove records kept longer than `tokens.retentionDays`, and old salts; return how many.

    Works in short transactions, each with its audit record.
    """
    total = 0
    while removed := _prune_some(deps):
        total += removed
        if removed < _BATCH:
            break
    return total


def _prune_some(deps: Deps) -> int:
    now = deps.clock.now()
    with deps.store.write() as tx:
        tx.tokens.wipe_salts(now - RETRY_LIFETIME)
        keep = timedelta(days=tx.settings.load().retention_days)
        tx.changes.prune(keep=_CHANGES_KEPT)
        removed = tx.tokens.prune(now - keep, limit=_BATCH)
        if removed:
            record_event(tx, SYSTEM, TokensPruned(count=removed), now=now)
        return removed
