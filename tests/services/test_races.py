"""What somebody proved and what changed before they used it; and who may be judged side by side."""

import threading
from collections.abc import Callable

import pytest

from gatepass.errors import NotAuthenticated
from gatepass.model.secret import Secret
from gatepass.model.user import Password
from gatepass.services.change_password import change_password
from gatepass.services.check_password import check_password
from gatepass.services.create_token import create_token
from gatepass.services.find_session import find_session
from gatepass.services.prove_session import prove_session
from gatepass.services.sign_in import sign_in
from gatepass.testing.fakes import PASSWORD, knowing_password
from services.conftest import World

MEANWHILE, NEW = "set by somebody else meanwhile", "another good sentence"


def replace_password(world: World) -> None:
    """Set another password for Maria, and leave her sessions alone."""
    world.clock.advance(milliseconds=1)
    with world.store.write() as tx:
        tx.users.set_password(
            world.maria.id, Password(world.hasher.hash(MEANWHILE.encode()), changed_at=world.clock.now())
        )


def after_the_check(world: World, happens: Callable[[World], None]) -> None:
    """Let something happen between the moment a password was found right and its use."""
    right = world.hasher.verify

    def slow(stored: str | None, password: bytes) -> bool:
        found = right(stored, password)
        world.hasher.verify = right
        happens(world)
        return found

    world.hasher.verify = slow


def has_password(world: World, password: str) -> bool:
    try:
        check_password(world.deps, email="maria@example.com", password=Secret(password))
    except NotAuthenticated:
        return False
    return True


def test_a_password_replaced_while_it_was_checked_starts_no_session(world: World) -> None:
    after_the_check(world, replace_password)
    with pytest.raises(NotAuthenticated):
        sign_in(world.deps, email="maria@example.com", password=Secret(PASSWORD))
    assert world.store.sessions.list(world.maria.id) == []


def test_a_password_replaced_while_it_was_checked_proves_no_session(world: World) -> None:
    old = world.session(world.maria)
    actor = world.session_actor(world.maria)
    after_the_check(world, replace_password)
    with pytest.raises(NotAuthenticated):
        prove_session(world.deps, actor, Secret(PASSWORD))
    assert find_session(world.deps, old.handle) is not None


def test_of_two_changes_of_a_password_at_once_the_second_is_void(world: World) -> None:
    actor = world.session_actor(world.maria)
    after_the_check(world, replace_password)
    with pytest.raises(NotAuthenticated):
        change_password(world.deps, actor, current=Secret(PASSWORD), new=Secret(NEW))
    assert [has_password(world, each) for each in (NEW, MEANWHILE)] == [False, True]


def test_whoever_showed_a_password_that_was_replaced_since_makes_no_token(world: World) -> None:
    world.allow_everybody()
    actor = knowing_password(world.deps, world.maria.id)
    replace_password(world)
    with pytest.raises(NotAuthenticated):
        create_token(world.deps, actor, lifetime_seconds=60)
    assert create_token(world.deps, knowing_password(world.deps, world.maria.id), lifetime_seconds=60)


def test_a_renewed_hash_of_the_same_password_voids_nothing(world: World) -> None:
    world.hasher.generation = 2
    assert sign_in(world.deps, email="maria@example.com", password=Secret(PASSWORD))


def test_people_behind_one_address_are_judged_side_by_side(world: World) -> None:
    together, right = threading.Barrier(2, timeout=5), world.hasher.verify

    def meeting(stored: str | None, password: bytes) -> bool:
        together.wait()
        return right(stored, password)

    world.hasher.verify = meeting
    signed_in: list[str] = []

    def attempt(email: str) -> None:
        proof = check_password(world.deps, email=email, password=Secret(PASSWORD), address="192.0.2.1")
        signed_in.append(proof.user.email)

    threads = [threading.Thread(target=attempt, args=(user.email,)) for user in (world.maria, world.bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(signed_in) == ["bob@example.com", "maria@example.com"]
