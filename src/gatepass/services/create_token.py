"""Create a token."""

from datetime import datetime, timedelta

from gatepass.errors import NotAllowed, NotAuthenticated
from gatepass.interfaces import NewToken, Transaction
from gatepass.model.actor import Actor, Credential
from gatepass.model.event import TokenCreated
from gatepass.model.instant import iso
from gatepass.model.rights import FULL_ACCESS, Rights, child_rights
from gatepass.model.secret import generate_id, generate_secret, sha256
from gatepass.model.token import (
    NEVER_EXPIRES,
    CreatedToken,
    Token,
    TokenKind,
    check_description,
    check_lifetime_seconds,
    token_mac,
    write_token,
)
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.read_user import read_user
from gatepass.services.record_event import record_event
from gatepass.services.retry import Retry


def create_token(
    deps: Deps,
    actor: Actor,
    *,
    lifetime_seconds: int,
    description: str | None = None,
    rights: Rights = FULL_ACCESS,
    retry: Retry | None = None,
) -> CreatedToken:
    """Create a token that belongs to the actor, and return it with its value, this once.

    With a token only as much can be given as it has itself (NotAllowed beyond that); what `rights`
    does not name is then as that token has it. A repeated `retry` within 24 hours returns the same
    value again; Conflict if its body is another one, it is too late or the token is gone. Raises
    InvalidInput and whatever `access.authorise`, the policies and `read_user` raise.
    """
    check_lifetime_seconds(lifetime_seconds)
    check_description(description)
    _read_owner(deps, actor)
    now = deps.clock.now()
    with deps.store.write() as tx:
        owner = authorise(tx, actor, Action.CREATE_TOKEN, now=now, owner_id=actor.user_id)
        if owner is None:
            raise NotAllowed("only a person can own a token")
        limits = _limits(tx, actor)
        if retry and (made := tx.tokens.find_by_key(owner.id, retry.key_hash)):
            # SECURITY: who guesses a key and a body must not get a value that can do more than theirs.
            if child_rights(limits, made.rights) != made.rights:
                raise NotAllowed("this Idempotency-Key made a token with more rights than the one used here")
            return retry.answer_again(deps.keyring, made, now=now)
        settings = tx.settings.load()
        for policy in deps.policies:
            policy.check(NewToken(owner, lifetime_seconds), settings)
        token_id = generate_id(now)
        idempotency = retry.remember() if retry else None
        secret = retry.secret(deps.keyring, owner.id, idempotency) if retry and idempotency else generate_secret()
        value = write_token(TokenKind.PERSONAL, token_id, secret)
        number, pepper = deps.keyring.current_pepper()
        token = Token(
            id=token_id,
            owner_id=owner.id,
            mac=token_mac(pepper, sha256(value.reveal())),
            pepper=number,
            description=description,
            created_at=now,
            expires_at=_end(now, lifetime_seconds),
            parent_id=actor.credential_id if actor.credential is Credential.TOKEN else None,
            idempotency=idempotency,
            rights=child_rights(limits, rights),
        )
        tx.tokens.add(token)
        record_event(tx, actor, _event(token), now=now)
    return CreatedToken(token, value)


def _read_owner(deps: Deps, actor: Actor) -> None:
    """Ask the directory about somebody from there, so that nobody who left gets one more token."""
    if not deps.providers:
        return
    with deps.store.read() as tx:
        owner = tx.users.find(actor.user_id) if actor.user_id else None
    if owner is not None and not owner.is_local:
        read_user(deps, owner)


def _limits(tx: Transaction, actor: Actor) -> Rights:
    """Return what the actor can give away: all of it, or what the token they came with has."""
    if actor.credential is not Credential.TOKEN:
        return FULL_ACCESS
    parent = tx.tokens.find(actor.credential_id) if actor.credential_id else None
    if parent is None:
        raise NotAuthenticated
    return parent.rights


def _end(now: datetime, lifetime_seconds: int) -> datetime | None:
    return None if lifetime_seconds == NEVER_EXPIRES else now + timedelta(seconds=lifetime_seconds)


def _event(token: Token) -> TokenCreated:
    return TokenCreated(
        subject_id=token.id,
        owner_id=token.owner_id,
        description=token.description,
        expires_at=iso(token.expires_at) if token.expires_at else None,
        parent_id=str(token.parent_id) if token.parent_id else None,
        **token.rights.lists(),
    )
