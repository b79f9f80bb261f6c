"""Get one token."""

from uuid import UUID

from gatepass.errors import Gone, NotFound
from gatepass.model.actor import Actor
from gatepass.model.token import Token
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def get_token(deps: Deps, actor: Actor, token_id: UUID) -> Token:
    """Return one of the actor's own tokens.

    Raises Gone if it was deleted, NotFound if it is unknown or somebody else's, even for an
    administrator.
    """
    now = deps.clock.now()
    with deps.store.read() as tx:
        authorise(tx, actor, Action.GET_TOKEN, now=now, owner_id=actor.user_id, subject_id=token_id)
        token = tx.tokens.find(token_id)
        if token is None or token.owner_id != actor.user_id:
            raise NotFound("there is no such token")
        if token.revoked_at is not None:
            raise Gone("the token was deleted")
        return token
