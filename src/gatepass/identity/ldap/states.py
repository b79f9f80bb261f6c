"""What directories say of an account, in our words. It goes to the log and the audit record, never to a stranger."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gatepass.errors import Unavailable
from gatepass.model.identity import Refusal

Attributes = Mapping[str, Sequence[bytes]]
"""The raw values of an entry by the name of their attribute in lower case."""

PASSWORD_POLICY = "1.3.6.1.4.1.42.2.27.8.5.1"  # noqa: S105  an OID, of draft-behera-ldap-password-policy
STATE_ATTRIBUTES = ("pwdAccountLockedTime", "shadowExpire", "nsAccountLock", "userAccountControl", "accountExpires")

_SUCCESS = 0
_REFUSALS = {
    32: Refusal.UNKNOWN,  # noSuchObject
    48: Refusal.WRONG_PASSWORD,  # inappropriateAuthentication: the entry has no password
    49: Refusal.WRONG_PASSWORD,  # invalidCredentials
    19: Refusal.LOCKED,  # constraintViolation: too many wrong ones, in some directories
    53: Refusal.DISABLED,  # unwillingToPerform: inactivated
}
_POLICY_ERRORS = {
    0: Refusal.PASSWORD_EXPIRED,
    1: Refusal.LOCKED,
    2: Refusal.MUST_CHANGE,
}
_AD_DATA = re.compile(r"\bdata ([0-9a-f]{3,4})\b", re.IGNORECASE)
_AD_REFUSALS = {
    "525": Refusal.UNKNOWN,
    "52e": Refusal.WRONG_PASSWORD,
    "52f": Refusal.NOT_NOW,
    "530": Refusal.NOT_NOW,
    "531": Refusal.NOT_NOW,
    "532": Refusal.PASSWORD_EXPIRED,
    "533": Refusal.DISABLED,
    "701": Refusal.EXPIRED,
    "773": Refusal.MUST_CHANGE,
    "775": Refusal.LOCKED,
}
_LOCKED_FOR_EVER = b"000001010000Z"
_AD_DISABLED = 0x2
_AD_NEVER = frozenset({0, 0x7FFFFFFFFFFFFFFF})
_AD_BEGINNING = datetime(1601, 1, 1, tzinfo=UTC)
_UNIX_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def bind_refusal(result: Mapping[str, Any]) -> Refusal | None:
    """Return why a bind was refused, None if it succeeded. Raises Unavailable for what is no answer about a person."""
    code = result["result"]
    policy = _policy_error(result)
    if policy is not None:
        return policy
    if code == _SUCCESS:
        return None
    if code not in _REFUSALS:
        raise Unavailable(f"the directory cannot check passwords: {result.get('description')}")
    data = _AD_DATA.search(result.get("message") or "")
    return _AD_REFUSALS.get(data[1].lower(), _REFUSALS[code]) if data else _REFUSALS[code]


def entry_refusal(entry: Attributes, now: datetime) -> Refusal | None:
    """Return why somebody may not sign in whatever their password is; None if nothing in their entry says so.

    A lock that goes away by itself, and a password that has to be changed, keep nobody's tokens from working.
    """
    if _LOCKED_FOR_EVER in entry.get("pwdaccountlockedtime", ()):
        return Refusal.DISABLED
    if any(each.lower() == b"true" for each in entry.get("nsaccountlock", ())):
        return Refusal.DISABLED
    if _number(entry, "useraccountcontrol", default=0) & _AD_DISABLED:
        return Refusal.DISABLED
    ticks = _number(entry, "accountexpires", default=0)
    if ticks not in _AD_NEVER and _AD_BEGINNING + timedelta(microseconds=ticks // 10) <= now:
        return Refusal.EXPIRED
    days = _number(entry, "shadowexpire", default=-1)
    if days >= 0 and _UNIX_BEGINNING + timedelta(days=days) <= now:
        return Refusal.EXPIRED
    return None


def _number(entry: Attributes, name: str, *, default: int) -> int:
    values = entry.get(name)
    try:
        return int(values[0]) if values else default
    except ValueError:
        raise Unavailable(f"the directory has no number in {name}") from None


def _policy_error(result: Mapping[str, Any]) -> Refusal | None:
    """Return what the password policy's response control says, None if it says nothing.

    It is `SEQUENCE { warning [0] OPTIONAL, error [1] ENUMERATED OPTIONAL }` in BER.
    """
    control = (result.get("controls") or {}).get(PASSWORD_POLICY)
    content = bytes(control["value"] or b"")[2:] if control else b""
    while len(content) >= 3:
        tag, length = content[0], content[1]
        if tag == 0x81:
            # What else went wrong, such as a password that is too short, is no matter of a bind.
            return _POLICY_ERRORS.get(content[2])
        content = content[2 + length :]
    return None
