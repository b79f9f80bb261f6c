"""Start a session in a browser, for somebody who has just proved who they are."""

from dataclasses import dataclass
from uuid import UUID

from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor, Credential
from gatepass.model.event import SignedIn
from gatepass.model.secret import Secret, generate_handle, generate_id, sha256
from gatepass.model.session import MOST_SESSIONS, Session
from gatepass.model.text import shorten
from gatepass.services.check_password import Proof
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event
from gatepass.services.remember_device import remember_device

_USER_AGENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A session and the handle for its cookie, which exists here and in the browser only."""

    session: Session
    handle: Secret
    device: Secret | None = None
    """The handle for the cookie by which the browser is known from now on; None if it is not remembered."""


def start_session(
    deps: Deps,
    proof: Proof,
    credential: Credential,
    *,
    address: str | None = None,
    user_agent: str | None = None,
    request_id: str | None = None,
    replaced: UUID | None = None,
    device: Secret | None = None,
) -> StartedSession:
    """Start it with a new handle; the `replaced` session of this browser ends.

    Where a password was typed the browser is remembered, in place of the `device` that it was before. The eleventh
    session of a user ends the oldest. Raises NotAuthenticated if the proof is good no more.
    """
    user = proof.user
    now = deps.clock.now()
    handle = generate_handle()
    session = Session(
        id=generate_id(now),
        handle_hash=sha256(handle.reveal()),
        user_id=user.id,
        signed_in_at=now,
        proven_at=now,
        seen_at=now,
        address=address,
        user_agent=shorten(user_agent, most=_USER_AGENT_LENGTH),
        provider=user.provider,
        reference=proof.reference,
    )
    with deps.store.write() as tx:
        proof.require_still_good(tx)
        if replaced is not None:
            tx.sessions.remove(replaced)
        tx.sessions.add(session)
        _end_oldest(tx, session)
        remembered = remember_device(deps, tx, proof, replaced=device)
        actor = Actor(credential, user.id, session.id, address=address, request_id=request_id)
        provider = None if user.is_local else user.provider
        record_event(tx, actor, SignedIn(subject_id=session.id, owner_id=user.id, provider=provider), now=now)
    return StartedSession(session, handle, remembered)


def _end_oldest(tx: Transaction, session: Session) -> None:
    for old in tx.sessions.list(session.user_id)[:-MOST_SESSIONS]:
        tx.sessions.remove(old.id)
