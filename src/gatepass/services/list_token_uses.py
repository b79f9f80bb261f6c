"""Tell how often tokens were used lately."""

from collections.abc import Sequence

from gatepass.model.actor import Actor
from gatepass.model.token import Token
from gatepass.model.use import DayCount, day_of
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def list_token_uses(deps: Deps, actor: Actor, tokens: Sequence[Token], *, days: int) -> Sequence[DayCount]:
    """Return how often each of `tokens` was accepted and refused on the last `days` days, today included.

    For their owner or an administrator, like the list of the tokens; reads the counts of all of
    them at once. Raises NotFound to anybody else.
    """
    now = deps.clock.now()
    with deps.store.read() as tx:
        for owner_id in {token.owner_id for token in tokens}:
            authorise(tx, actor, Action.LIST_TOKENS, now=now, owner_id=owner_id)
        return tx.uses.list_days([token.id for token in tokens], day_of(now) - days + 1)
