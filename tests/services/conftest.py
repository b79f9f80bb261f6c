"""An installation over the memory store, with an administrator, two people and a clock to move."""

from dataclasses import dataclass

import pytest

from gatepass.connect import verifier_over
from gatepass.interfaces import Page
from gatepass.model.actor import CONSOLE, Actor, Credential
from gatepass.model.event import EventRecord
from gatepass.model.secret import Secret
from gatepass.model.token import CreatedToken
from gatepass.model.user import User
from gatepass.services.change_settings import change_settings
from gatepass.services.create_token import create_token
from gatepass.services.deps import Deps
from gatepass.services.sign_in import StartedSession, sign_in
from gatepass.stores.memory import MemoryStore
from gatepass.testing.fakes import PASSWORD, FakeClock, MemoryKeyring, QuickHasher, acting, add_person, make_deps
from gatepass.verifier.verifier import Verifier


@dataclass
class World:
    """The installation, who is in it, and short ways to do common things."""

    deps: Deps
    store: MemoryStore
    clock: FakeClock
    keyring: MemoryKeyring
    hasher: QuickHasher
    verifier: Verifier
    """It remembers: what is told here must be true from memory too."""
    admin: User
    maria: User
    bob: User

    def allow_everybody(self) -> None:
        self.change(**{"apiAccessTokens.usersMayGenerate": True})

    def change(self, **settings: object) -> None:
        change_settings(self.deps, CONSOLE, settings)

    def token(self, user: User, **fields: object) -> CreatedToken:
        return create_token(self.deps, acting(user), **{"lifetime_seconds": 3600, **fields})

    def token_actor(self, user: User) -> Actor:
        return Actor(Credential.TOKEN, user.id, self.token(user).token.id)

    def session(self, user: User) -> StartedSession:
        return sign_in(self.deps, email=user.email, password=Secret(PASSWORD), address="192.0.2.9")

    def session_actor(self, user: User) -> Actor:
        return Actor(Credential.SESSION, user.id, self.session(user).session.id)

    def events(self) -> list[EventRecord]:
        with self.store.read() as tx:
            return list(tx.events.list(Page(limit=1000)))

    def disable(self, user: User) -> None:
        from gatepass.services.change_user import UserChanges, change_user

        change_user(self.deps, acting(self.admin), user.id, UserChanges(is_disabled=True))


@pytest.fixture
def world() -> World:
    store, clock, keyring, hasher = MemoryStore(), FakeClock(), MemoryKeyring(), QuickHasher()
    deps = make_deps(store, clock=clock, keyring=keyring, hasher=hasher, common_passwords=["password password"])
    admin = add_person(deps, "admin@example.com", is_admin=True)
    maria, bob = add_person(deps, "maria@example.com"), add_person(deps, "bob@example.com")
    return World(deps, store, clock, keyring, hasher, verifier_over(store, keyring, clock), admin, maria, bob)
