"""Let somebody in whom an identity provider vouches for: find or make their user, and bring it up to date."""

from datetime import datetime, timedelta

from gatepass.errors import InvalidInput, NotAuthenticated
from gatepass.interfaces import ConfiguredProvider, Transaction
from gatepass.model.actor import Actor, Credential
from gatepass.model.event import SignInRefused, UserCreated
from gatepass.model.identity import (
    Admission,
    Finished,
    Identity,
    Once,
    Refusal,
    check_subject,
    display_name_of,
    user_name_of,
)
from gatepass.model.secret import generate_id, sha256
from gatepass.model.text import shorten
from gatepass.model.user import NAME_LENGTH, User
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event
from gatepass.services.settle import outcome, settle

_NOTED_EVERY = timedelta(minutes=1)


def admit_identity(
    deps: Deps, finished: Finished, *, address: str | None = None, request_id: str | None = None
) -> User:
    """Return the user of an identity, as the site's rules for its provider have them now.

    Raises NotAuthenticated for every refusal alike; the audit record says why. What must not be taken twice
    is taken here, in the transaction that lets them in.
    """
    identity, now = finished.identity, deps.clock.now()
    configured = deps.providers.get(identity.provider)
    if configured is None:
        raise NotAuthenticated
    if not finished.once and (known := _unchanged(deps, identity, configured.admission, now)):
        return known
    actor = Actor(Credential.PROVIDER, address=address, request_id=request_id)
    with deps.store.write() as tx:
        admitted = _admitted(deps, tx, finished, configured, actor)
    # SECURITY: raised only now: the transaction keeps the record, and whom it disabled.
    if admitted is None:
        raise NotAuthenticated
    return admitted


def _unchanged(deps: Deps, identity: Identity, admission: Admission, now: datetime) -> User | None:
    """Return the user if letting them in would change nothing, so that no transaction has to be written."""
    with deps.store.read() as tx:
        user = tx.users.find_by_subject(identity.provider, identity.subject)
        if user is None or outcome(tx, user, identity, admission, now=now) != (user, None):
            return None
    noted = user.last_sign_in_at is not None and now - user.last_sign_in_at < _NOTED_EVERY
    return user if noted else None


def _admitted(
    deps: Deps, tx: Transaction, finished: Finished, configured: ConfiguredProvider, actor: Actor
) -> User | None:
    identity, now = finished.identity, deps.clock.now()
    user = tx.users.find_by_subject(identity.provider, identity.subject)
    why: Refusal | None = None
    if not all(tx.spent.add(_spent_key(configured.id, each), each.until) for each in finished.once):
        why = Refusal.REPLAYED
    elif user is None:
        user, why = _make(tx, actor, identity, configured.admission, now=now)
    else:
        after, why = outcome(tx, user, identity, configured.admission, now=now)
        user = settle(tx, actor, user, after, now=now)
    if why is not None or user is None:
        refused = SignInRefused(
            subject_id=user.id if user else None,
            owner_id=user.id if user else None,
            provider=configured.id,
            reason=(why or Refusal.INVALID).value,
            name=shorten(identity.login, most=NAME_LENGTH),
        )
        record_event(tx, actor, refused, now=now)
        return None
    tx.users.note_sign_in(user.id, now)
    tx.users.note_checked(user.id, now)
    return user


def _spent_key(provider_id: str, once: Once) -> bytes:
    return sha256(f"{provider_id} {once.key.encode('utf-8', 'surrogatepass').hex()}")


def _make(
    tx: Transaction, actor: Actor, identity: Identity, admission: Admission, *, now: datetime
) -> tuple[User | None, Refusal | None]:
    """Make the user of an identity that nobody here has yet."""
    if not admission.may_sign_in(identity):
        return None, Refusal.LOST_GROUP
    if not admission.creates_users:
        return None, Refusal.NOT_ADDED
    try:
        email, subject = user_name_of(identity), check_subject(identity.subject)
    except InvalidInput:
        return None, Refusal.INVALID
    # SECURITY: an address or a name proves nothing about an account that exists; nobody is linked by it.
    if tx.users.find_by_email(email) is not None:
        return None, Refusal.NAME_TAKEN
    user = User(
        id=generate_id(now),
        email=email,
        name=display_name_of(identity),
        is_admin=admission.is_admin(identity, before=False),
        created_at=now,
        updated_at=now,
        provider=identity.provider,
        subject=subject,
        may_generate=admission.may_generate(identity),
    )
    tx.users.add(user)
    made = UserCreated(
        subject_id=user.id, owner_id=user.id, email=email, is_admin=user.is_admin, provider=identity.provider
    )
    record_event(tx, actor, made, now=now)
    return user, None
