"""What becomes of a user when their provider says how they are: the same at sign-in and when directories are read."""

from dataclasses import replace
from datetime import datetime

from gatepass.errors import Conflict, InvalidInput
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor
from gatepass.model.identity import Admission, Identity, Refusal, Refused, display_name_of, user_name_of
from gatepass.model.user import User
from gatepass.services.change_user import apply_change

_OUT = Refusal.DEACTIVATED.value


def outcome(
    tx: Transaction, user: User, told: Identity | Refused, admission: Admission, *, now: datetime
) -> tuple[User, Refusal | None]:
    """Return what the user becomes by what their provider tells, and why they are not let in, if so.

    Changes nothing.
    """
    if isinstance(told, Refused):
        return lost(user, told.reason, now), told.reason
    if not admission.may_sign_in(told):
        return lost(user, Refusal.LOST_GROUP, now), Refusal.LOST_GROUP
    if user.disabled_at is not None and not _returns(user, admission):
        return user, Refusal.DISABLED_HERE
    after = replace(
        user,
        email=user.email if admission.names_are_pushed else _name(tx, user, told),
        name=(user.name if admission.names_are_pushed else None) or display_name_of(told) or user.name,
        is_admin=admission.is_admin(told, before=user.is_admin),
        may_generate=admission.may_generate(told),
        disabled_at=None,
        lost=None,
    )
    return (user if after == user else replace(after, updated_at=now)), None


def lost(user: User, why: Refusal, now: datetime) -> User:
    """Return what somebody becomes whom the provider lost. Whom somebody here disabled stays as they are."""
    if user.disabled_at is not None and user.lost in {None, why.value}:
        return user
    if user.lost is not None and why is Refusal.UNREACHABLE:
        return user  # what was known before an outage is worse
    # SECURITY: who was pushed out stays that whatever else is lost, or coming back would undo it in two steps.
    reason = f"{_OUT} {why.value}" if is_pushed_out(user) else why.value
    if reason == user.lost:
        return user
    return replace(user, disabled_at=user.disabled_at or now, lost=reason, updated_at=now)


def push_out(user: User, now: datetime) -> User:
    """Return what somebody becomes whom their directory deactivates. What else was lost is kept beside that."""
    if is_pushed_out(user) or (user.disabled_at is not None and user.lost is None):
        return user
    reason = f"{_OUT} {user.lost}" if user.lost else _OUT
    return replace(user, disabled_at=user.disabled_at or now, lost=reason, updated_at=now)


def push_back(user: User, admission: Admission, now: datetime) -> User:
    """Return what somebody becomes who is active again in their directory. What else was lost stays lost."""
    if user.lost is None or not is_pushed_out(user) or not admission.enables_returning:
        return user
    rest = user.lost.removeprefix(_OUT).strip() or None
    return replace(user, disabled_at=user.disabled_at if rest else None, lost=rest, updated_at=now)


def is_pushed_out(user: User) -> bool:
    """Tell whether somebody's directory deactivated them."""
    return user.lost is not None and user.lost.split(" ")[0] == _OUT


def settle(tx: Transaction, actor: Actor, before: User, after: User, *, now: datetime) -> User:
    """Make `before` into `after` as an administrator would, and return who they are now.

    The last administrator stays one, and enabled: then the rest is changed alone.
    """
    if after == before:
        return before
    try:
        apply_change(tx, actor, before, after, now=now)
    except Conflict:
        after = replace(after, is_admin=before.is_admin, disabled_at=before.disabled_at, lost=before.lost)
        if replace(after, updated_at=before.updated_at) == before:
            return before
        apply_change(tx, actor, before, after, now=now)
    return after


def _returns(user: User, admission: Admission) -> bool:
    """Tell whether somebody who is disabled is enabled by being there again."""
    # SECURITY: who was pushed out is not let in by a sign-in that the provider had begun to allow before.
    if user.lost is None or is_pushed_out(user):
        return False
    return user.lost == Refusal.UNREACHABLE.value or admission.enables_returning


def _name(tx: Transaction, user: User, identity: Identity) -> str:
    """Return the name that they have from now on: the provider's, unless somebody else has it."""
    try:
        wanted = user_name_of(identity)
    except InvalidInput:
        return user.email
    holder = tx.users.find_by_email(wanted)
    return wanted if holder is None or holder.id == user.id else user.email
