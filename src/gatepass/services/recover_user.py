"""Give somebody their access back, from the server's own console."""

from dataclasses import replace

from gatepass.errors import NotFound
from gatepass.model.actor import CONSOLE
from gatepass.model.change import ChangeKind
from gatepass.model.event import PasswordChanged, UserEnabled
from gatepass.model.secret import Secret
from gatepass.model.user import Password, User, check_new_password
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event
from gatepass.services.require_local import require_local


def recover_user(deps: Deps, email: str, password: Secret) -> User:
    """Set a new password, enable the person if disabled, end all their sessions, forget failed sign-ins.

    For whoever runs commands on the server itself: it is the one way back in when no
    administrator can sign in. Rights stay as they are. Where local sign-in is off the password counts for
    an hour. Raises NotFound, InvalidInput, and Conflict for somebody who signs in elsewhere.
    """
    chosen = check_new_password(password.reveal(), common=deps.common_passwords)
    hashed = deps.hasher.hash(chosen)
    now = deps.clock.now()
    with deps.store.write() as tx:
        user = tx.users.find_by_email(email)
        if user is None:
            raise NotFound(f"there is no person {email!r}")
        require_local(user)
        if user.disabled_at is not None:
            user = replace(user, disabled_at=None, updated_at=now)
            tx.users.update(user)
            tx.changes.add(ChangeKind.OWNER, user.id)
            record_event(tx, CONSOLE, UserEnabled(subject_id=user.id, owner_id=user.id), now=now)
        tx.users.set_password(user.id, Password(hashed, now, on_console=True))
        tx.sessions.remove_of(user.id)
        # Their browsers stay known: nobody's guesses may keep them out of what may be the only way in.
        for key in deps.throttle.keys_of(user, tx.devices.list(user.id)):
            tx.failures.forget(key)
        record_event(tx, CONSOLE, PasswordChanged(subject_id=user.id, owner_id=user.id, by="console"), now=now)
        return user
