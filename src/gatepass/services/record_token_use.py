"""Record when tokens were last used, and how often they were accepted and refused."""

from gatepass.interfaces import Store
from gatepass.model.use import Uses


def record_token_use(store: Store, uses: Uses) -> None:
    """Write what was counted, for many tokens in one transaction.

    It moves `last_used_at` forward, adds to the counts and changes nothing else, so it can never
    undo a deletion. No audit record: a use changes no right.
    """
    if uses:
        with store.write_uses() as tx:
            tx.tokens.record_uses(uses.last_used)
            tx.uses.add(uses.counts)
