"""Makers of values that are not stored yet."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gatepass.interfaces import Store
from gatepass.model.actor import Credential
from gatepass.model.device import Device
from gatepass.model.event import EventRecord
from gatepass.model.registered_verifier import RegisteredVerifier
from gatepass.model.secret import generate_id
from gatepass.model.session import Session
from gatepass.model.token import Token
from gatepass.model.user import User
from gatepass.testing.fakes import START


def make_user(email: str, *, at: datetime = START, **fields: Any) -> User:
    """Return a user."""
    made = User(generate_id(at), email, None, is_admin=False, created_at=at, updated_at=at)
    return replace(made, **fields)


def make_token(owner: User, *, at: datetime = START, **fields: Any) -> Token:
    """Return a token of 30 days."""
    made = Token(
        id=generate_id(at),
        owner_id=owner.id,
        mac=b"m" * 32,
        pepper=1,
        description=None,
        created_at=at,
        expires_at=at + timedelta(days=30),
    )
    return replace(made, **fields)


def make_session(user: User, *, at: datetime = START, **fields: Any) -> Session:
    """Return a session."""
    session_id = generate_id(at)
    made = Session(session_id, session_id.bytes * 2, user.id, at, at, at, "192.0.2.1", "Browser/1.0")
    return replace(made, **fields)


def make_device(user: User, name: bytes, *, at: datetime = START, account_key: bytes | None = None) -> Device:
    """Return a remembered browser; `name` is one byte."""
    return Device(name * 32, user.id, b"n" * 32, account_key, at)


def make_verifier(name: str, *, at: datetime = START, **fields: Any) -> RegisteredVerifier:
    """Return a registered verifier."""
    return replace(RegisteredVerifier(generate_id(at), name, b"v" * 32, 1, at), **fields)


def make_event(action: str = "token.created", *, at: datetime = START, **fields: Any) -> EventRecord:
    """Return an audit record."""
    made = EventRecord(
        sequence=0,
        at=at,
        action=action,
        actor_id=None,
        actor_name=None,
        credential=Credential.PASSWORD,
        credential_id=None,
        subject_id=None,
        owner_id=None,
        owner_name=None,
        details={},
        address=None,
        request_id=None,
    )
    return replace(made, **fields)


def keep_users(store: Store, *users: User) -> None:
    """Store users."""
    with store.write() as tx:
        for user in users:
            tx.users.add(user)


def keep_tokens(store: Store, *tokens: Token) -> None:
    """Store tokens."""
    with store.write() as tx:
        for token in tokens:
            tx.tokens.add(token)


def ids_of(found: Any) -> list[UUID]:
    """Return the ids of records, in their order."""
    return [record.id for record in found]
