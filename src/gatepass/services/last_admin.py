"""The last administrator stays one, and one who administers keeps a password here."""

from gatepass.errors import Conflict
from gatepass.interfaces import Page, Transaction
from gatepass.model.user import User

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
    page = Page(limit=_BATCH)
    while leaving.is_admin:
        found = tx.users.list(page, only="admins")
        if any(_gets_in(tx, each) for each in found if each.id != leaving.id):
            return
        if len(found) < _BATCH:
            raise Conflict("this is the last administrator with a password here; somebody has to keep one")
        page = Page(limit=_BATCH, after=found[-1].id)


def _gets_in(tx: Transaction, user: User) -> bool:
    return user.is_live and tx.users.find_password(user.id) is not None
