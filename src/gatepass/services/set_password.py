"""Set a first password with a one-time link."""

from datetime import datetime

from gatepass.errors import NotFound
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor, Credential
from gatepass.model.event import PasswordChanged
from gatepass.model.secret import Secret, sha256
from gatepass.model.user import Password, User, check_new_password
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event


def find_link_user(deps: Deps, handle: Secret) -> User:
    """Return whom a one-time link is for. Raises NotFound if it is unknown, used, too old, or local sign-in is off."""
    with deps.store.read() as tx:
        return _user_of(deps, tx, handle, now=deps.clock.now())


def set_password(
    deps: Deps, handle: Secret, new: Secret, *, address: str | None = None, request_id: str | None = None
) -> User:
    """Set the password of the person whom the link is for, and use the link up.

    Raises NotFound for a link that is unknown, used or too old, InvalidInput naming `password`.
    """
    find_link_user(deps, handle)
    hashed = deps.hasher.hash(check_new_password(new.reveal(), common=deps.common_passwords))
    now = deps.clock.now()
    with deps.store.write() as tx:
        user = _user_of(deps, tx, handle, now=now)
        tx.users.set_password(user.id, Password(hashed, now))
        tx.sessions.remove_of(user.id)
        actor = Actor(Credential.PASSWORD, user.id, address=address, request_id=request_id)
        record_event(tx, actor, PasswordChanged(subject_id=user.id, owner_id=user.id, by="link"), now=now)
        return user


def _user_of(deps: Deps, tx: Transaction, handle: Secret, *, now: datetime) -> User:
    text = handle.reveal()
    link = tx.users.find_link(sha256(text)) if text.isascii() and deps.local_sign_in else None
    user = tx.users.find(link.user_id) if link and link.expires_at > now else None
    if user is None or not user.is_live:
        raise NotFound("this link was used, is too old, or never existed")
    return user
