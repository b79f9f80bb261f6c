"""Change a person: name, address, rights, disabled or not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gatepass.errors import NotFound
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor
from gatepass.model.change import ChangeKind
from gatepass.model.event import Event, UserChanged, UserDisabled, UserEnabled
from gatepass.model.user import User, check_email, check_name
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.last_admin import require_an_admin_left, require_one_to_recover
from gatepass.services.record_event import record_event

_PUBLIC = {"name": "name", "email": "email", "is_admin": "isAdmin", "may_generate": "mayGenerate"}
"""What an audit record tells of a change, by its public name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanges:
    """What to change; None leaves a field as it is."""

    name: str | None = None
    email: str | None = None
    is_admin: bool | None = None
    is_disabled: bool | None = None

    @property
    def only_name(self) -> bool:
        """Tell whether these are changes that people may make to themselves."""
        return self.email is None and self.is_admin is None and self.is_disabled is None

    def applied_to(self, user: User, now: datetime) -> User:
        """Return the changed user. Disabling keeps the first date."""
        disabled_at, lost = user.disabled_at, user.lost
        if self.is_disabled is not None:
            disabled_at, lost = (disabled_at or now) if self.is_disabled else None, None
        return replace(
            user,
            name=user.name if self.name is None else self.name,
            email=user.email if self.email is None else self.email,
            is_admin=user.is_admin if self.is_admin is None else self.is_admin,
            disabled_at=disabled_at,
            lost=lost,
            updated_at=now,
        )


def change_user(deps: Deps, actor: Actor, user_id: UUID, changes: UserChanges) -> User:
    """Make the changes together, or none of them, and return the user.

    People may change their own name; everything else takes an administrator. Disabling ends all
    sessions and refuses all tokens until the person is enabled again; a change of rights ends sessions,
    and one-time links end with a change of rights or address. Raises InvalidInput,
    NotAllowed, NotFound, and Conflict if no administrator would be left, or none whom the console could
    let in, or the address is taken.
    """
    check_name(changes.name)
    if changes.email is not None:
        check_email(changes.email)
    now = deps.clock.now()
    with deps.store.write() as tx:
        action = Action.RENAME_USER if changes.only_name else Action.CHANGE_USER
        authorise(tx, actor, action, now=now, owner_id=user_id)
        before = tx.users.find(user_id)
        if before is None:
            raise NotFound("there is no such person")
        after = changes.applied_to(before, now)
        if after == replace(before, updated_at=now):
            return before
        require_one_to_recover(deps, tx, before, after)
        apply_change(tx, actor, before, after, now=now)
        return after


def apply_change(tx: Transaction, actor: Actor, before: User, after: User, *, now: datetime) -> None:
    """Make `before` into `after`, with all that follows from it.

    Raises Conflict if no administrator would be left or the address is taken; then nothing was changed.
    """
    require_an_admin_left(tx, before, after)
    tx.users.update(after)
    if (after.is_live, after.email) != (before.is_live, before.email):
        tx.changes.add(ChangeKind.OWNER, after.id)
    if not after.is_live:
        tx.sessions.remove_of(after.id)
        tx.devices.remove_of(after.id)
    elif after.is_admin != before.is_admin:
        tx.sessions.remove_of(after.id, except_id=actor.credential_id)
    if (after.email, after.is_admin) != (before.email, before.is_admin) and not tx.users.find_password(after.id):
        tx.users.set_password(after.id, None)  # a link was sent to whoever had that address and those rights
    for event in _events(before, after):
        record_event(tx, actor, event, now=now)


def _events(before: User, after: User) -> Iterator[Event]:
    changes = {
        public: [getattr(before, name), getattr(after, name)]
        for name, public in _PUBLIC.items()
        if getattr(before, name) != getattr(after, name)
    }
    if changes:
        yield UserChanged(subject_id=after.id, owner_id=after.id, changes=changes)
    if before.is_live and not after.is_live:
        provider = after.provider if after.lost is not None else None
        yield UserDisabled(subject_id=after.id, owner_id=after.id, provider=provider, reason=after.lost)
    if after.is_live and not before.is_live:
        yield UserEnabled(subject_id=after.id, owner_id=after.id)
