"""`userName` and what people are called here: an address is the name itself, a login is `login@provider`."""

import re
from collections.abc import Sequence

from gatepass.errors import InvalidInput
from gatepass.model.user import User, is_email

_LOGIN = re.compile(r"\A[0-9a-z._-]{1,64}\Z", re.ASCII)


def email_of(user_name: str, provider_id: str) -> str:
    """Return the name of somebody whom their directory calls `user_name`. Raises InvalidInput."""
    if is_email(user_name):
        return user_name
    if _LOGIN.match(user_name.lower()):
        return f"{user_name.lower()}{_domain(provider_id)}"
    raise InvalidInput("userName", "must be an ASCII e-mail address, or 1 to 64 of a-z 0-9 . _ -")


def emails_of(user_name: str, provider_id: str) -> Sequence[str]:
    """Return what somebody of that name may be called here, also by a sign-in that vouched for no address."""
    local = user_name.lower().replace("@", ".")
    found = [user_name] if is_email(user_name) else []
    return [*found, f"{local}{_domain(provider_id)}"] if _LOGIN.match(local) else found


def user_name_of(user: User) -> str:
    """Return the `userName` of somebody."""
    return user.email.removesuffix(_domain(user.provider))


def _domain(provider_id: str) -> str:
    return f"@{provider_id.replace('_', '-')}"
