"""What becomes of a user when their provider says how they are: the same at sign-in and when directories are read."""

from dataclasses import replace
from datetime import datetime

from gatepass.errors import Conflict, InvalidInput
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor
from gatepass.model.identity import Admission, Identity, Refusal, display_name_of, user_name_of
from gatepass.model.user import User
from gatepass.services.change_user import apply_change


def outcome(
    tx: Transaction, user: User, identity: Identity, admission: Admission, *, now: datetime
) -> tuple[User, Refusal | None]:
    """Return what the user becomes, and why they are not let in, if so. Changes nothing."""
    if not admission.may_sign_in(identity):
        return lost(user, now), Refusal.LOST_GROUP
    if user.disabled_at is not None and not (user.lost_at is not None and admission.enables_returning):
        return user, Refusal.DISABLED_HERE
    after = replace(
        user,
        email=_name(tx, user, identity),
        name=display_name_of(identity) or user.name,
        is_admin=admission.is_admin(identity, before=user.is_admin),
        may_generate=admission.may_generate(identity),
        disabled_at=None,
        lost_at=None,
    )
    return (user if after == user else replace(after, updated_at=now)), None


def lost(user: User, now: datetime) -> User:
    """Return what somebody becomes whom the provider lost. Who is disabled already stays as they are."""
    if user.disabled_at is not None:
        return user
    return replace(user, disabled_at=now, lost_at=now, updated_at=now)


def settle(tx: Transaction, actor: Actor, before: User, after: User, *, now: datetime, why: Refusal | None) -> User:
    """Make `before` into `after` as an administrator would, and return who they are now.

    The last administrator stays one, and enabled: then the rest is changed alone.
    """
    if after == before:
        return before
    try:
        apply_change(tx, actor, before, after, now=now, reason=why.value if why else None)
    except Conflict:
        kept = replace(after, is_admin=before.is_admin, disabled_at=before.disabled_at, lost_at=before.lost_at)
        if replace(kept, updated_at=before.updated_at) != before:
            apply_change(tx, actor, before, kept, now=now)
        return kept
    return after


def _name(tx: Transaction, user: User, identity: Identity) -> str:
    """Return the name that they have from now on: the provider's, unless somebody else has it."""
    try:
        wanted = user_name_of(identity)
    except InvalidInput:
        return user.email
    holder = tx.users.find_by_email(wanted)
    return wanted if holder is None or holder.id == user.id else user.email
