"""Record when tokens were last used."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from gatepass.services.deps import Deps


def record_token_use(deps: Deps, uses: Mapping[UUID, datetime]) -> None:
    """Write the instants of the latest accepted requests, for many tokens in one transaction.

    It moves `last_used_at` forward and changes nothing else, so it can never undo a deletion. No
    audit record: a use changes no right.
    """
    if uses:
        with deps.store.write() as tx:
            tx.tokens.record_uses(uses)
