"""Issue a one-time link with which a person sets their first password."""

from datetime import datetime, timedelta
from uuid import UUID

from gatepass.errors import Conflict, NotFound
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor
from gatepass.model.event import PasswordLinkIssued
from gatepass.model.secret import Secret, generate_handle, sha256
from gatepass.model.user import PasswordLink
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.local_sign_in import require_local_sign_in
from gatepass.services.record_event import record_event
from gatepass.services.require_local import require_local

LINK_LIFETIME = timedelta(hours=24)


def issue_password_link(deps: Deps, actor: Actor, user_id: UUID) -> Secret:
    """Return the handle of a new one-time link for somebody who has no password yet.

    Earlier links of that person end. Raises Conflict once they have a password, as an administrator
    who could replace it could act as them (rule R2), and where local sign-in is off.
    """
    now = deps.clock.now()
    with deps.store.write() as tx:
        authorise(tx, actor, Action.CHANGE_USER, now=now, owner_id=user_id)
        require_local_sign_in(deps)
        user = tx.users.find(user_id)
        if user is None:
            raise NotFound("there is no such person")
        require_local(user)
        if tx.users.find_password(user_id) is not None:
            raise Conflict("this person has a password already")
        return add_link(tx, actor, user_id, now=now)


def add_link(tx: Transaction, actor: Actor, user_id: UUID, *, now: datetime) -> Secret:
    """Keep a new link for `user_id` with its audit record; return its handle."""
    handle = generate_handle()
    tx.users.add_link(PasswordLink(sha256(handle.reveal()), user_id, expires_at=now + LINK_LIFETIME))
    record_event(tx, actor, PasswordLinkIssued(subject_id=user_id, owner_id=user_id), now=now)
    return handle
