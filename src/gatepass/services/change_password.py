"""Change one's own password."""

from gatepass.errors import InvalidInput, NotAuthenticated
from gatepass.model.actor import Actor
from gatepass.model.event import PasswordChanged
from gatepass.model.secret import Secret
from gatepass.model.user import Password, check_new_password
from gatepass.services.access import Action, authorise
from gatepass.services.check_password import check_password
from gatepass.services.deps import Deps
from gatepass.services.local_sign_in import require_local_sign_in
from gatepass.services.record_event import record_event
from gatepass.services.remember_device import remember_device
from gatepass.services.require_local import require_local


def change_password(
    deps: Deps, actor: Actor, *, current: Secret, new: Secret, device: Secret | None = None
) -> Secret | None:
    """Replace the actor's password; all their other sessions end, their tokens stay (rule R5).

    No browser is remembered any more but the one that this comes from, if it had the cookie `device`: what its new
    one holds is returned. Raises InvalidInput naming `currentPassword` or `newPassword`, NotAllowed for an actor who
    came with a token, Conflict where nobody signs in with
    one that is kept here, or this actor does not, TooManyRequests after wrong guesses at the current one.
    """
    with deps.store.read() as tx:
        user = authorise(tx, actor, Action.CHANGE_PASSWORD, now=deps.clock.now(), owner_id=actor.user_id)
    if user is None:
        raise NotAuthenticated
    require_local(user)
    require_local_sign_in(deps)
    chosen = check_new_password(new.reveal(), common=deps.common_passwords, field="newPassword")
    try:
        proof = check_password(
            deps, email=user.email, password=current, address=actor.address, request_id=actor.request_id, device=device
        )
    except NotAuthenticated:
        raise InvalidInput("currentPassword", "is not your password") from None
    hashed = deps.hasher.hash(chosen)
    now = deps.clock.now()
    with deps.store.write() as tx:
        authorise(tx, actor, Action.CHANGE_PASSWORD, now=now, owner_id=user.id)
        proof.require_still_good(tx)
        tx.users.set_password(user.id, Password(hashed, now))
        tx.sessions.remove_of(user.id, except_id=actor.credential_id)
        tx.devices.remove_of(user.id)
        record_event(tx, actor, PasswordChanged(subject_id=user.id, owner_id=user.id, by="person"), now=now)
        return remember_device(deps, tx, proof, replaced=device) if device is not None else None
