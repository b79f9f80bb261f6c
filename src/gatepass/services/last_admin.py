"""The last administrator stays one; one who administers keeps a password here, or can be let back in."""

from collections.abc import Iterator

from gatepass.errors import Conflict
from gatepass.interfaces import Page, Transaction
from gatepass.model.user import User
from gatepass.services.deps import Deps

_BATCH = 100


def require_an_admin_left(tx: Transaction, before: User, after: User) -> None:
    """Raise Conflict if this change would leave nobody who may administer."""
    loses = before.is_admin and before.is_live and not (after.is_admin and after.is_live)
    if loses and tx.users.counts().live_admins == 1:
        raise Conflict("this is the last administrator; make somebody else one first")


def require_a_local_admin_left(tx: Transaction, leaving: User) -> None:
    """Raise Conflict if nobody else who may administer has a password here.

    With a provider that is out of reach, or set up wrongly, they alone get in.
    """
    others = (each for each in _admins(tx) if each.id != leaving.id)
    if leaving.is_admin and not any(each.is_live and tx.users.find_password(each.id) for each in others):
        raise Conflict("this is the last administrator with a password here; somebody has to keep one")


def is_last_to_recover(deps: Deps, tx: Transaction, user: User) -> bool:
    """Tell whether `user` is the one administrator whom the console could let in, where local sign-in is off."""
    if deps.local_sign_in or not (user.is_local and user.is_admin):
        return False
    return not any(each.is_local and each.id != user.id for each in _admins(tx))


def require_one_to_recover(deps: Deps, tx: Transaction, before: User, after: User) -> None:
    """Raise Conflict if this change would leave nobody whom the console could let in; a disabled one it could."""
    loses = not after.is_admin or after.deleted_at is not None
    if loses and is_last_to_recover(deps, tx, before):
        raise Conflict("this is the last administrator whom `gatepass user recover` could let in; somebody has to stay")


def _admins(tx: Transaction) -> Iterator[User]:
    """Yield the administrators who are not deleted, the disabled ones too."""
    found = tx.users.list(Page(limit=_BATCH), only="admins")
    while found:
        yield from found
        found = tx.users.list(Page(limit=_BATCH, after=found[-1].id), only="admins")
