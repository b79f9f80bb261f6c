"""Add a person."""

from dataclasses import dataclass

from gatepass.model.actor import Actor, Credential
from gatepass.model.event import UserCreated
from gatepass.model.secret import Secret, generate_id
from gatepass.model.user import Password, User, check_email, check_name, check_new_password
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.issue_password_link import add_link
from gatepass.services.local_sign_in import require_local_sign_in
from gatepass.services.record_event import record_event


@dataclass(frozen=True, slots=True)
class CreatedUser:
    """A new user, and the handle of their one-time link if they still have to set a password."""

    user: User
    link: Secret | None


def create_user(
    deps: Deps,
    actor: Actor,
    *,
    email: str,
    name: str | None = None,
    password: Secret | None = None,
    is_admin: bool = False,
) -> CreatedUser:
    """Add a person, for an administrator or the console.

    Without a password the answer holds the handle of a one-time link, good for 24 hours. Raises
    InvalidInput naming `email`, `name` or `password`, and Conflict if the address is taken, or to an
    administrator where local sign-in is off.
    """
    with deps.store.read() as tx:
        authorise(tx, actor, Action.CREATE_USER, now=deps.clock.now())
    on_console = actor.credential is Credential.CONSOLE
    if not on_console:
        require_local_sign_in(deps)
    check_email(email)
    check_name(name)
    chosen = check_new_password(password.reveal(), common=deps.common_passwords) if password else None
    hashed = deps.hasher.hash(chosen) if chosen else None
    now = deps.clock.now()
    user = User(id=generate_id(now), email=email, name=name, is_admin=is_admin, created_at=now, updated_at=now)
    with deps.store.write() as tx:
        authorise(tx, actor, Action.CREATE_USER, now=now)
        tx.users.add(user)
        record_event(
            tx, actor, UserCreated(subject_id=user.id, owner_id=user.id, email=email, is_admin=is_admin), now=now
        )
        if hashed is not None:
            tx.users.set_password(user.id, Password(hashed, now, on_console))
            return CreatedUser(user, None)
        return CreatedUser(user, add_link(tx, actor, user.id, now=now))
