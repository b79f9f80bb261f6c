"""Change somebody as their directory pushes it: called otherwise, not active any more, or back."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gatepass.errors import Immutable
from gatepass.model.actor import Actor
from gatepass.model.identity import Admission
from gatepass.model.pushed import Pushed
from gatepass.model.user import User, check_email, check_name
from gatepass.services.access import Action, authorise
from gatepass.services.change_user import apply_change
from gatepass.services.deps import Deps
from gatepass.services.get_pushed_user import find_pushed
from gatepass.services.push_user import require_free_name
from gatepass.services.settle import push_back, push_out


def change_pushed_user(deps: Deps, actor: Actor, user_id: UUID, pushed: Pushed) -> User:
    """Make all that is pushed of somebody true, or nothing of it, and return them.

    Who is not active is disabled, at once and everywhere. Being active again enables only whom the directory itself
    had deactivated, and only where the site's rules for it enable who returns. Raises NotAllowed, NotFound,
    InvalidInput, Immutable for another subject, NotUnique for a name that is taken, and Conflict for the last
    administrator.
    """
    now = deps.clock.now()
    if pushed.email is not None:
        check_email(pushed.email)
    check_name(pushed.name)
    with deps.store.write() as tx:
        authorise(tx, actor, Action.PUSH_USERS, now=now)
        before = find_pushed(tx, actor, user_id)
        # SECURITY: tokens belong to the person; under another subject they would be somebody else's.
        if pushed.subject not in {None, before.subject}:
            raise Immutable("externalId", "is who somebody is, and cannot be changed")
        after = _applied(before, pushed, deps.providers[before.provider].admission, now)
        if after == before:
            return before
        require_free_name(tx, after.email, except_for=before)
        apply_change(tx, actor, before, after, now=now)
        return after


def _applied(user: User, pushed: Pushed, admission: Admission, now: datetime) -> User:
    after = replace(
        user,
        email=user.email if pushed.email is None else pushed.email,
        name=user.name if pushed.name is None else pushed.name or None,
    )
    if pushed.is_active is not None:
        after = push_back(after, admission, now) if pushed.is_active else push_out(after, now)
    return user if after == user else replace(after, updated_at=now)
