"""Passwords are kept of local people only."""

from gatepass.errors import Conflict
from gatepass.model.user import User


def require_local(user: User) -> None:
    """Raise Conflict for somebody who signs in elsewhere: no password of theirs is kept here."""
    if not user.is_local:
        raise Conflict("this person signs in elsewhere; no password of theirs is kept here")
