"""Somebody signs out at their provider: their sessions end here, once told, and nothing else does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gatepass.errors import NotAuthenticated
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.actor import Actor, Credential
from gatepass.model.identity import Ended, Finished, Identity, Once
from gatepass.services.create_token import create_token
from gatepass.services.end_provider_sessions import end_provider_sessions
from gatepass.services.sign_in_identity import sign_in_identity
from gatepass.testing.fakes import START
from services.conftest import World


class Silent:
    """A provider that is asked nothing here."""

    def close(self) -> None:
        pass


@pytest.fixture
def deps(world: World):
    made = {each: ConfiguredProvider(id=each, name=each, provider=Silent()) for each in ("corp", "other")}
    return replace(world.deps, providers=made)


@pytest.fixture
def sign_in(deps):
    def signed_in(subject: str, reference: str | None, provider: str = "corp"):
        identity = Identity(provider=provider, subject=subject, login=f"{subject}-{provider}", reference=reference)
        return sign_in_identity(deps, Finished(identity)).session

    return signed_in


def ended(subject: str | None, reference: str | None, key: str = "logout 1") -> Ended:
    return Ended("corp", subject, reference, Once(key, START + timedelta(minutes=3)))


def live(world: World, *sessions) -> list[bool]:
    with world.store.read() as tx:
        return [tx.sessions.find_by_id(each.id) is not None for each in sessions]


def test_the_session_that_is_named_ends(world: World, deps, sign_in) -> None:
    named, another = sign_in("alice", "sid-1"), sign_in("alice", "sid-2")
    for subject in ("alice", None):
        end_provider_sessions(deps, ended(subject, "sid-1", f"logout {subject}"))
        assert live(world, named, another) == [False, True]
        named = sign_in("alice", "sid-1")


def test_without_a_session_all_of_the_person_end(world: World, deps, sign_in) -> None:
    sessions = [sign_in("alice", "sid-1"), sign_in("alice", None)]
    bob, stranger = sign_in("bob", "sid-1"), sign_in("alice", "sid-1", "other")
    assert end_provider_sessions(deps, ended("alice", None)) == 2
    assert live(world, *sessions, bob, stranger) == [False, False, True, True]


def test_a_session_that_is_somebody_elses_does_not_end(world: World, deps, sign_in) -> None:
    bob, stranger = sign_in("bob", "sid-1"), sign_in("alice", "sid-1", "other")
    assert end_provider_sessions(deps, ended("alice", "sid-1")) == 0
    assert live(world, bob, stranger) == [True, True]


def test_a_message_counts_once(world: World, deps, sign_in) -> None:
    sign_in("alice", "sid-1")
    assert end_provider_sessions(deps, ended("alice", None)) == 1
    again = sign_in("alice", "sid-1")
    with pytest.raises(NotAuthenticated):
        end_provider_sessions(deps, ended("alice", None))
    assert live(world, again) == [True]


def test_it_is_on_record_and_tokens_live_on(world: World, deps, sign_in) -> None:
    world.allow_everybody()
    session = sign_in("alice", "sid-1")
    actor = Actor(Credential.SESSION, session.user_id, session.id, proven_at=session.proven_at)
    token = create_token(deps, actor, lifetime_seconds=60)
    end_provider_sessions(deps, ended("alice", None), address="192.0.2.7")
    record = world.events()[-1]
    assert (record.action, record.subject_id, record.owner_id) == ("session.ended", session.id, session.user_id)
    assert (record.credential, record.details, record.address) == (
        Credential.PROVIDER,
        {"provider": "corp"},
        "192.0.2.7",
    )
    assert world.verifier.verify(token.value.reveal())
