"""Revoke a token. Pages and API say "delete"."""

from uuid import UUID

from gatepass.errors import Gone, NotFound
from gatepass.model.actor import Actor
from gatepass.model.change import ChangeKind
from gatepass.model.event import TokenDeleted
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event


def revoke_token(deps: Deps, actor: Actor, token_id: UUID) -> None:
    """Revoke a token for ever: for its owner or an administrator.

    When this returns this process refuses it, and so does every other one on the host of a SQLite file. Raises Gone
    if it was revoked before, NotFound if it is unknown or, to an ordinary user, somebody else's, revoked or not.
    """
    now = deps.clock.now()
    with deps.store.write() as tx:
        token = tx.tokens.find(token_id)
        owner_id = token.owner_id if token else actor.user_id
        authorise(tx, actor, Action.REVOKE_TOKEN, now=now, owner_id=owner_id, subject_id=token_id)
        if token is None:
            raise NotFound("there is no such token")
        # SECURITY: a deletion that changes nothing must never look like one that worked.
        if not tx.tokens.revoke(token_id, now):
            raise Gone("the token was deleted")
        tx.changes.add(ChangeKind.TOKEN, token.id)
        event = TokenDeleted(subject_id=token.id, owner_id=token.owner_id, description=token.description)
        record_event(tx, actor, event, now=now)
