"""List somebody's tokens."""

from collections.abc import Sequence
from uuid import UUID

from gatepass.errors import NotFound
from gatepass.interfaces import Page
from gatepass.model.actor import Actor
from gatepass.model.token import Token, TokenStatus
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def list_tokens(
    deps: Deps,
    actor: Actor,
    *,
    owner_id: UUID,
    page: Page,
    status: TokenStatus | None = None,
    prefix: str | None = None,
    by_tail: bool = False,
) -> Sequence[Token]:
    """Return a page of the tokens of `owner_id`, for themselves or an administrator.

    See `TokenRepository.list` for order and filters. Raises NotFound for somebody who does not
    exist or, to an ordinary user, for anybody else.
    """
    now = deps.clock.now()
    with deps.store.read() as tx:
        authorise(tx, actor, Action.LIST_TOKENS, now=now, owner_id=owner_id)
        if tx.users.find(owner_id) is None:
            raise NotFound("there is no such person")
        return tx.tokens.list(owner_id, page, now=now, status=status, prefix=prefix, by_tail=by_tail)
