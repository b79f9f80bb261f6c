"""Local sign-in may be switched off; what the server's own console sets counts for an hour all the same."""

from datetime import datetime, timedelta

from gatepass.errors import Conflict
from gatepass.interfaces import Transaction
from gatepass.model.user import User
from gatepass.services.deps import Deps

RECOVERY_LIFETIME = timedelta(hours=1)


def sign_in_counts(deps: Deps, tx: Transaction, user: User, at: datetime) -> bool:
    """Tell whether the site allows that `user` signed in at that moment in the way that is theirs."""
    if deps.local_sign_in or not user.is_local:
        return True
    password = tx.users.find_password(user.id)
    # To both sides: the console's clock may be another machine's.
    return password is not None and password.on_console and abs(at - password.changed_at) < RECOVERY_LIFETIME


def require_local_sign_in(deps: Deps) -> None:
    """Raise Conflict where nobody could sign in with a password that is set now."""
    if not deps.local_sign_in:
        raise Conflict("people sign in elsewhere here, not with passwords that are kept here (sign_in.local is off)")
