"""Check a user name and password."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gatepass.errors import NotAllowed, NotAuthenticated, Unavailable
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor, Credential
from gatepass.model.device import Device
from gatepass.model.event import SignInRefused
from gatepass.model.identity import Refusal
from gatepass.model.secret import Secret
from gatepass.model.session import Session
from gatepass.model.user import PASSWORD_MOST_BYTES, Password, User, normalise_password
from gatepass.services.access import require_same_password
from gatepass.services.check_directories import Attempt, check_account, check_directories, refusals
from gatepass.services.deps import Deps
from gatepass.services.find_device import find_device
from gatepass.services.local_sign_in import sign_in_counts
from gatepass.services.record_event import record_event

_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Proof:
    """That somebody is a user: they knew the password that was set at `password_at`, or a provider said so (None)."""

    user: User
    password_at: datetime | None
    reference: str | None = None
    """What the provider calls this sign-in."""
    login: str | None = None
    """The name for which the password was typed; None if a provider said so without one."""

    def require_still_good(self, tx: Transaction) -> None:
        """Raise NotAuthenticated if by now the user is disabled or gone or has another password."""
        user = tx.users.find(self.user.id)
        if user is None or not user.is_live:
            raise NotAuthenticated
        require_same_password(tx, user, self.password_at)


def check_password(
    deps: Deps,
    *,
    email: str,
    password: Secret,
    address: str | None = None,
    request_id: str | None = None,
    device: Secret | None = None,
) -> Proof:
    """Return a proof that this is the user's password at this moment, here or in a directory.

    A name that a local user has is theirs alone; no directory hears their password. `device` is what the
    browser's cookie says. Whoever acts on the proof later looks again, inside the transaction:
    `Proof.require_still_good`.

    Raises NotAuthenticated for every failure alike (no such user, wrong password, disabled), after
    the same work, TooManyRequests when `services/throttle.py` says so, and Unavailable if a directory
    that could have known better is out of reach.
    """
    known = None
    if device is not None:
        with deps.store.read() as tx:
            known = find_device(deps, tx, device, login=email, user=_local(tx, email))
    with ExitStack() as turns:
        attempt = Attempt([], turns, address, request_id)
        _take_turn(deps, attempt, email, known)
        with deps.store.read() as tx:
            # SECURITY: directories overlook blanks around a name. Whose it is without them is no directory's either.
            local = _local(tx, email.strip())
            user = local if email == email.strip() else None
            stored = tx.users.find_password(user.id) if user else None
            counts = user is not None and sign_in_counts(deps, tx, user, deps.clock.now())
        given = _bytes_of(password)
        # SECURITY: always one hash, and the user's state counts only afterwards.
        right = deps.hasher.verify(stored.hash if stored and given else None, given or b"-")
        if user is None or stored is None or given is None or not right or not counts or not user.is_live:
            return _from_directories(deps, attempt, email, password, local=local)
    _note_success(deps, user, stored, given)
    return Proof(user, stored.changed_at, login=email)


def check_password_again(
    deps: Deps,
    session: Session,
    user: User,
    *,
    password: Secret,
    address: str | None,
    request_id: str | None,
    device: Secret | None = None,
) -> Proof:
    """Return the same of somebody who is signed in: their own account is asked, whatever names there are.

    Raises as `check_password`; NotAuthenticated too if their provider takes no passwords, and NotAllowed if a
    password that is kept here counts no longer.
    """
    if user.is_local:
        with deps.store.read() as tx:
            # They are signed in, so this tells nobody anything. It is not counted as a failure.
            if not sign_in_counts(deps, tx, user, deps.clock.now()):
                raise NotAllowed("your password counts no longer; it can be set anew on the server's own console")
        return check_password(
            deps, email=user.email, password=password, address=address, request_id=request_id, device=device
        )
    known = None
    if device is not None:
        with deps.store.read() as tx:
            known = find_device(deps, tx, device, login=user.email, user=user)
    with ExitStack() as turns:
        attempt = Attempt([], turns, address, request_id)
        _take_turn(deps, attempt, user.email, known)
        with counting_failure(deps, attempt, None):
            found = check_account(deps, attempt, user.provider, session.reference, password)
            if found is None or found[0].id != user.id:
                raise NotAuthenticated
    return Proof(found[0], None, found[1], login=user.email)


def _local(tx: Transaction, email: str) -> User | None:
    named = tx.users.find_by_email(email)
    return named if named is not None and named.is_local else None


def _take_turn(deps: Deps, attempt: Attempt, login: str, device: Device | None) -> None:
    """Wait until the password may be judged: as one from a known browser, or else as anybody's."""
    throttle = deps.throttle
    if device is not None:
        attempt.keys += attempt.turns.enter_context(throttle.attempt_known(device))
        if attempt.keys:
            attempt.device = device
            return
    turn = throttle.attempt(login, attempt.address, folded=bool(deps.providers))
    attempt.keys += attempt.turns.enter_context(turn)


def _from_directories(deps: Deps, attempt: Attempt, login: str, password: Secret, *, local: User | None) -> Proof:
    """Ask the directories about a name that no local password fits; about nobody, if it is a local user's."""
    with counting_failure(deps, attempt, local):
        found = check_directories(deps, attempt, None if local else login, password)
        if found is None:
            raise NotAuthenticated
    return Proof(found[0], None, found[1], login=login)


@contextmanager
def counting_failure(deps: Deps, attempt: Attempt, local: User | None) -> Iterator[None]:
    """Count a failure while the attempt still holds its turns. An outage counts: it judged nothing either way."""
    try:
        yield
    except (NotAuthenticated, Unavailable):
        now = deps.clock.now()
        actor = Actor(Credential.PASSWORD, address=attempt.address, request_id=attempt.request_id)
        with deps.store.write() as tx:
            tx.failures.add(attempt.keys, now)
            if local is not None:
                reason = None if sign_in_counts(deps, tx, local, now) else Refusal.LOCAL_OFF.value
                record_event(tx, actor, SignInRefused(subject_id=local.id, owner_id=local.id, reason=reason), now=now)
            for event in refusals(tx, attempt):
                record_event(tx, actor, event, now=now)
        raise


def _bytes_of(password: Secret) -> bytes | None:
    """Return what is hashed, or None for what no password can be."""
    try:
        given = normalise_password(password.reveal())
    except ValueError:
        return None
    return given if 0 < len(given) <= PASSWORD_MOST_BYTES else None


def _note_success(deps: Deps, user: User, stored: Password, given: bytes) -> None:
    """Write the time of the sign-in, to the minute, and renew a hash made with old parameters."""
    now = deps.clock.now()
    outdated = deps.hasher.is_outdated(stored.hash)
    noted = user.last_sign_in_at is not None and now - user.last_sign_in_at < _NOTED_EVERY
    if noted and not outdated:
        return
    renewed = replace(stored, hash=deps.hasher.hash(given)) if outdated else stored
    with deps.store.write() as tx:
        tx.users.note_sign_in(user.id, now)
        # Not over a password that was changed in the meantime.
        if outdated and tx.users.find_password(user.id) == stored:
            tx.users.set_password(user.id, renewed)
