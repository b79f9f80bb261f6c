"""Check a user name and password."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gatepass.errors import NotAuthenticated
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor, Credential
from gatepass.model.event import SignInRefused
from gatepass.model.secret import Secret
from gatepass.model.user import PASSWORD_MOST_BYTES, Password, User, normalise_password
from gatepass.services.access import require_same_password
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event

_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Proof:
    """That somebody knew a user's password, the one set at `password_at`."""

    user: User
    password_at: datetime

    def require_still_good(self, tx: Transaction) -> None:
        """Raise NotAuthenticated if by now the user is disabled or gone or has another password."""
        user = tx.users.find(self.user.id)
        if user is None or not user.is_live:
            raise NotAuthenticated
        require_same_password(tx, user.id, self.password_at)


def check_password(
    deps: Deps, *, email: str, password: Secret, address: str | None = None, request_id: str | None = None
) -> Proof:
    """Return a proof that this is the user's password at this moment.

    Whoever acts on it later looks again, inside the transaction: `Proof.require_still_good`.

    Raises NotAuthenticated for every failure alike (no such user, wrong password, disabled), after
    the same work, and TooManyRequests when `services/throttle.py` says so.
    """
    with deps.throttle.attempt(email, address) as keys:
        with deps.store.read() as tx:
            user = tx.users.find_by_email(email)
            stored = tx.users.find_password(user.id) if user else None
        given = _bytes_of(password)
        # SECURITY: always one hash, and the user's state counts only afterwards.
        right = deps.hasher.verify(stored.hash if stored and given else None, given or b"-")
        if user is None or stored is None or given is None or not right or not user.is_live:
            _count_failure(deps, keys, user, Actor(Credential.PASSWORD, address=address, request_id=request_id))
            raise NotAuthenticated
    _note_success(deps, user, stored, given)
    return Proof(user, stored.changed_at)


def _bytes_of(password: Secret) -> bytes | None:
    """Return what is hashed, or None for what no password can be."""
    try:
        given = normalise_password(password.reveal())
    except ValueError:
        return None
    return given if 0 < len(given) <= PASSWORD_MOST_BYTES else None


def _count_failure(deps: Deps, keys: list[bytes], user: User | None, actor: Actor) -> None:
    now = deps.clock.now()
    with deps.store.write() as tx:
        tx.failures.add(keys, now)
        if user is not None:
            record_event(tx, actor, SignInRefused(subject_id=user.id, owner_id=user.id), now=now)


def _note_success(deps: Deps, user: User, stored: Password, given: bytes) -> None:
    """Write the time of the sign-in, to the minute, and renew a hash made with old parameters."""
    now = deps.clock.now()
    outdated = deps.hasher.is_outdated(stored.hash)
    noted = user.last_sign_in_at is not None and now - user.last_sign_in_at < _NOTED_EVERY
    if noted and not outdated:
        return
    renewed = Password(deps.hasher.hash(given), stored.changed_at) if outdated else stored
    with deps.store.write() as tx:
        tx.users.note_sign_in(user.id, now)
        # Not over a password that was changed in the meantime.
        if outdated and tx.users.find_password(user.id) == stored:
            tx.users.set_password(user.id, renewed)
