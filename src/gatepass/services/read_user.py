"""Ask the directory about somebody who is not there: how they are now."""

from datetime import timedelta

from gatepass.errors import Unavailable
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.actor import SYSTEM
from gatepass.model.identity import Identity, Refusal, Refused
from gatepass.model.user import User
from gatepass.services.deps import Deps
from gatepass.services.settle import outcome, settle

FRESH = timedelta(seconds=30)
"""How old the directory's word may be when a token is generated."""
_NO_ANSWER = frozenset({Refusal.AMBIGUOUS, Refusal.INVALID})


def read_user(deps: Deps, user: User) -> None:
    """Bring a directory's user up to date, unless that was done just now; others are left alone.

    Somebody who is gone, disabled there or without the group is disabled here. Raises Unavailable if the
    directory is out of reach for longer than its last word holds.
    """
    configured = deps.providers.get(user.provider)
    if configured is None or configured.directory is None or user.subject is None:
        return
    if user.checked_at is not None and deps.clock.now() - user.checked_at < FRESH:
        return
    try:
        told = ask(configured, user)
    except Unavailable:
        note_outage(deps, configured, user)
        if not _holds(deps, configured, user):
            raise
        return
    note_told(deps, configured, user, told)


def ask(configured: ConfiguredProvider, user: User) -> Identity | Refused:
    """Return what a directory says of a user. Raises Unavailable, also for what is no answer about a person."""
    if configured.directory is None or user.subject is None:
        raise Unavailable("this provider cannot be asked about people")
    told = configured.directory.read(user.subject)
    if isinstance(told, Refused) and told.reason in _NO_ANSWER:
        raise Unavailable(f"the directory has no one answer about somebody: {told.reason}")
    return told


def note_told(deps: Deps, configured: ConfiguredProvider, user: User, told: Identity | Refused) -> User | None:
    """Make of a user what their directory says they are; return who they are now, None if deleted meanwhile."""
    now = deps.clock.now()
    with deps.store.write() as tx:
        before = tx.users.find(user.id)
        if before is None:
            return None
        after, _ = outcome(tx, before, told, configured.admission, now=now)
        settled = settle(tx, SYSTEM, before, after, now=now)
        tx.users.note_checked(user.id, now)
        return settled


def note_outage(deps: Deps, configured: ConfiguredProvider, user: User) -> User | None:
    """Disable a user about whom the directory has not answered for longer than its last word holds."""
    if not user.is_live or _holds(deps, configured, user):
        return user
    now = deps.clock.now()
    with deps.store.write() as tx:
        before = tx.users.find(user.id)
        if before is None or _holds(deps, configured, before):
            return before
        after, _ = outcome(tx, before, Refused(Refusal.UNREACHABLE), configured.admission, now=now)
        return settle(tx, SYSTEM, before, after, now=now)


def _holds(deps: Deps, configured: ConfiguredProvider, user: User) -> bool:
    """Tell whether the directory's last word about somebody still holds while it is out of reach."""
    grace = configured.admin_grace_seconds if user.is_admin else configured.grace_seconds
    last_word = user.checked_at or user.created_at
    return deps.clock.now() - last_word < timedelta(seconds=grace)
