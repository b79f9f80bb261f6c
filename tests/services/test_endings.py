"""What a change ends: links, sessions, failed sign-ins."""

import pytest

from gatepass.errors import NotAuthenticated, NotFound
from gatepass.model.actor import Actor, Credential
from gatepass.model.secret import Secret
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.check_password import check_password
from gatepass.services.create_user import create_user
from gatepass.services.find_session import find_session
from gatepass.services.recover_user import recover_user
from gatepass.services.set_password import find_link_user, set_password
from gatepass.services.sign_in import StartedSession, sign_in
from gatepass.testing.fakes import PASSWORD, acting
from services.conftest import World

NEW = "another good sentence"


def lives(world: World, started: StartedSession) -> bool:
    return find_session(world.deps, started.handle) is not None


@pytest.mark.parametrize("changes", [{"email": "else@example.com"}, {"is_admin": True}])
def test_a_link_ends_when_address_or_rights_change(world: World, changes: dict) -> None:
    made = create_user(world.deps, acting(world.admin), email="new@example.com")
    change_user(world.deps, acting(world.admin), made.user.id, UserChanges(**changes))
    with pytest.raises(NotFound):
        set_password(world.deps, made.link, Secret(NEW))


def test_a_link_outlives_another_name(world: World) -> None:
    made = create_user(world.deps, acting(world.admin), email="new@example.com")
    change_user(world.deps, acting(world.admin), made.user.id, UserChanges(name="New"))
    assert find_link_user(world.deps, made.link).name == "New"


def test_a_password_outlives_another_address(world: World) -> None:
    change_user(world.deps, acting(world.admin), world.maria.id, UserChanges(email="mia@example.com", is_admin=True))
    assert check_password(world.deps, email="mia@example.com", password=Secret(PASSWORD))


@pytest.mark.parametrize("before", [False, True])
def test_a_change_of_rights_ends_sessions(world: World, *, before: bool) -> None:
    change_user(world.deps, acting(world.admin), world.maria.id, UserChanges(is_admin=before))
    started = world.session(world.maria)
    change_user(world.deps, acting(world.admin), world.maria.id, UserChanges(is_admin=not before))
    assert not lives(world, started)


def test_whoever_gives_up_their_own_rights_stays_signed_in_here(world: World) -> None:
    change_user(world.deps, acting(world.admin), world.maria.id, UserChanges(is_admin=True))
    here, there = world.session(world.maria), world.session(world.maria)
    actor = Actor(Credential.SESSION, world.maria.id, here.session.id)
    change_user(world.deps, actor, world.maria.id, UserChanges(is_admin=False))
    assert (lives(world, here), lives(world, there)) == (True, False)


def test_a_session_outlives_another_name(world: World) -> None:
    started = world.session(world.maria)
    change_user(world.deps, acting(world.admin), world.maria.id, UserChanges(name="Mia", email="mia@example.com"))
    assert lives(world, started)


def test_signing_in_ends_the_session_it_replaces_and_no_other(world: World) -> None:
    old, other = world.session(world.maria), world.session(world.maria)
    new = sign_in(world.deps, email="bob@example.com", password=Secret(PASSWORD), replaced=old.session.id)
    assert [lives(world, each) for each in (old, other, new)] == [False, True, True]


def test_a_failed_sign_in_replaces_nothing(world: World) -> None:
    old = world.session(world.maria)
    with pytest.raises(NotAuthenticated):
        sign_in(world.deps, email="bob@example.com", password=Secret("wrong"), replaced=old.session.id)
    assert lives(world, old)


def test_recovering_somebody_forgets_their_failed_sign_ins(world: World) -> None:
    for _ in range(6):
        with pytest.raises(NotAuthenticated):
            check_password(world.deps, email="MARIA@example.com", password=Secret("wrong"))
        world.clock.advance(seconds=1)
    recover_user(world.deps, "maria@example.com", Secret(NEW))
    assert check_password(world.deps, email="maria@example.com", password=Secret(NEW))
