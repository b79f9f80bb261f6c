"""The last administrator stays one."""

from gatepass.errors import Conflict
from gatepass.interfaces import Transaction
from gatepass.model.user import User


def require_an_admin_left(tx: Transaction, before: User, after: User) -> None:
    """Raise Conflict if this change would leave nobody who may administer."""
    loses = before.is_admin and before.is_live and not (after.is_admin and after.is_live)
    if loses and tx.users.counts().live_admins == 1:
        raise Conflict("this is the last administrator; make somebody else one first")
