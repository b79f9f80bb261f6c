"""Signing in: one answer for all failures, the throttle, sessions and their ends."""

import threading
from datetime import timedelta

import pytest

from gatepass.errors import NotAuthenticated, NotFound, TooManyRequests
from gatepass.interfaces import Page
from gatepass.model.actor import Actor, Credential
from gatepass.model.secret import Secret, generate_handle, generate_id
from gatepass.services.check_password import check_password
from gatepass.services.find_session import find_session
from gatepass.services.list_sessions import list_sessions
from gatepass.services.prove_session import prove_session
from gatepass.services.prune_sign_ins import prune_sign_ins
from gatepass.services.sign_in import sign_in
from gatepass.services.sign_out import sign_out
from gatepass.services.sign_out_elsewhere import sign_out_elsewhere
from gatepass.services.throttle import Throttle, network_of, waiting_time
from gatepass.testing.fakes import PASSWORD, START, acting
from services.conftest import World


def attempt(world: World, password: str = "wrong", email: str = "maria@example.com", address: str | None = None) -> str:
    """Return `ok`, `refused`, or `wait N`."""
    try:
        check_password(world.deps, email=email, password=Secret(password), address=address)
    except NotAuthenticated:
        return "refused"
    except TooManyRequests as error:
        return f"wait {error.retry_after}"
    return "ok"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("nobody@example.com", PASSWORD),
        ("maria@example.com", "wrong"),
        ("maria@example.com", ""),
        ("maria@example.com", "x" * 2000),
        ("maria@example.com", PASSWORD.upper()),
        ("maria@example.com", PASSWORD + " "),
        ("maria@example.com", "\ud800"),
        ("mar\u0131a@example.com", PASSWORD),
        ("", PASSWORD),
        ("bob@example.com", PASSWORD),
        ("link@example.com", PASSWORD),
    ],
)
def test_every_failure_is_the_same_after_the_same_work(world: World, email: str, password: str) -> None:
    from gatepass.model.actor import CONSOLE
    from gatepass.services.create_user import create_user

    create_user(world.deps, CONSOLE, email="link@example.com")
    world.disable(world.bob)
    before = world.hasher.verified
    with pytest.raises(NotAuthenticated) as caught:
        check_password(world.deps, email=email, password=Secret(password))
    assert str(caught.value) == "the credentials are missing or cannot be used"
    assert world.hasher.verified == before + 1


def test_five_failures_are_free_then_one_waits_longer_each_time(world: World) -> None:
    assert [attempt(world) for _ in range(6)] == ["refused"] * 5 + ["wait 1"]
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512):
        assert attempt(world, PASSWORD) == f"wait {wait}"
        world.clock.advance(seconds=wait, milliseconds=-1)
        assert attempt(world, PASSWORD) == "wait 1"
        world.clock.advance(milliseconds=1)
        assert attempt(world) == "refused"
    assert attempt(world) == "wait 900"


def test_no_more_than_17_failures_an_hour_are_judged(world: World) -> None:
    judged = 0
    for _ in range(3600):
        judged += attempt(world) == "refused"
        world.clock.advance(seconds=1)
    assert judged == 17


def test_a_refused_early_try_does_not_lengthen_the_wait(world: World) -> None:
    for _ in range(5):
        attempt(world)
    for _ in range(50):
        assert attempt(world) == "wait 1"


def test_the_right_password_counts_nothing_and_resets_nothing(world: World) -> None:
    for _ in range(20):
        assert attempt(world, PASSWORD) == "ok"
    for _ in range(4):
        attempt(world)
    assert attempt(world, PASSWORD) == "ok"
    assert attempt(world) == "refused"
    assert attempt(world, PASSWORD) == "wait 1"


def test_after_an_hour_failures_are_forgotten(world: World) -> None:
    for _ in range(5):
        attempt(world)
    world.clock.advance(hours=1)
    assert [attempt(world) for _ in range(6)] == ["refused"] * 5 + ["wait 1"]


def test_unknown_names_are_throttled_alike(world: World) -> None:
    assert [attempt(world, email="nobody@example.com") for _ in range(6)] == ["refused"] * 5 + ["wait 1"]


def test_spellings_of_one_name_share_a_counter(world: World) -> None:
    spellings = [
        "maria@example.com",
        "MARIA@example.com",
        "Maria@Example.Com",
        "mARIA@EXAMPLE.com",
        "maria@EXAMPLE.com",
    ]
    assert [attempt(world, email=name) for name in spellings] == ["refused"] * 5
    assert attempt(world, PASSWORD) == "wait 1"


def test_an_address_is_throttled_over_all_names(world: World) -> None:
    tries = [attempt(world, email=f"name{number}@example.com", address="192.0.2.1") for number in range(6)]
    assert tries == ["refused"] * 5 + ["wait 1"]
    assert attempt(world, PASSWORD, address="192.0.2.2") == "ok"


def test_a_name_is_throttled_over_all_addresses(world: World) -> None:
    tries = [attempt(world, address=f"192.0.2.{number}") for number in range(6)]
    assert tries == ["refused"] * 5 + ["wait 1"]


def test_many_other_names_do_not_flush_the_counters(world: World) -> None:
    for _ in range(5):
        attempt(world)
    for number in range(500):
        attempt(world, email=f"name{number}@example.com")
    assert attempt(world, PASSWORD) == "wait 1"


def test_pruning_forgets_no_failure_that_still_counts(world: World) -> None:
    for _ in range(5):
        attempt(world)
    world.clock.advance(minutes=59)
    attempt(world)
    prune_sign_ins(world.deps)
    assert attempt(world) == "wait 2"


def test_of_200_guesses_at_once_five_are_judged_and_the_right_one_beyond_is_not(world: World) -> None:
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(attempt(world))) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("refused") == 5
    assert results.count("wait 1") == 195
    assert attempt(world, PASSWORD) == "wait 1"


def test_of_20_right_passwords_at_once_none_is_refused(world: World) -> None:
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.append(attempt(world, PASSWORD, address="192.0.2.1")))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["ok"] * 20


def test_a_failure_of_the_hasher_frees_its_place(world: World) -> None:
    def broken(stored: str | None, password: bytes) -> bool:
        raise TooManyRequests("busy")

    right, world.hasher.verify = world.hasher.verify, broken
    for _ in range(10):
        assert attempt(world) == "wait 1"
    world.hasher.verify = right
    assert attempt(world, PASSWORD) == "ok"


def test_attempts_that_never_end_are_not_waited_for_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepass.services.throttle._PATIENCE_SECONDS", 0.05)
    throttle = Throttle(world.store, world.clock, world.keyring, per_account=1, per_address=1)
    with throttle.attempt("a@b", None), pytest.raises(TooManyRequests), throttle.attempt("a@b", None):
        pass


def test_what_people_type_as_a_name_is_not_kept(world: World) -> None:
    attempt(world, email="my secret password")
    assert "secret" not in repr(world.store.failures._table.rows)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "unknown"),
    ],
)
def test_an_address_of_version_6_counts_by_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_waiting_never_overflows() -> None:
    assert waiting_time([START] * 10_000, free=5, now=START) == timedelta(seconds=900)


def test_a_failure_is_recorded_for_people_who_exist_only(world: World) -> None:
    attempt(world)
    attempt(world, email="nobody@example.com")
    refused = [event for event in world.events() if event.action == "sign-in.refused"]
    assert [event.owner_id for event in refused] == [world.maria.id]


def test_an_outdated_hash_is_renewed_at_sign_in(world: World) -> None:
    world.hasher.generation = 2
    assert attempt(world, PASSWORD) == "ok"
    with world.store.read() as tx:
        assert tx.users.find_password(world.maria.id).hash.startswith("quick$2$")
    assert attempt(world, PASSWORD) == "ok"


def test_the_last_sign_in_is_noted_to_the_minute(world: World) -> None:
    def last() -> object:
        return world.store.users.find(world.maria.id).last_sign_in_at

    attempt(world, PASSWORD)
    assert last() == START
    world.clock.advance(seconds=59)
    attempt(world, PASSWORD)
    assert last() == START
    world.clock.advance(seconds=1)
    attempt(world, PASSWORD)
    assert last() == START + timedelta(minutes=1)


def test_a_session_is_found_by_its_handle_alone(world: World) -> None:
    started = world.session(world.maria)
    found = find_session(world.deps, started.handle)
    assert found is not None
    assert (found[0].id, found[1].id) == (started.session.id, world.maria.id)
    for other in (generate_handle(), Secret(""), Secret("é"), Secret(started.session.handle_hash.hex())):
        assert find_session(world.deps, other) is None


def test_the_handle_is_not_kept(world: World) -> None:
    started = world.session(world.maria)
    assert started.handle.reveal() not in repr(world.store.sessions.list(world.maria.id))


def test_a_session_lives_while_it_is_used_and_for_12_hours(world: World) -> None:
    started = world.session(world.maria)
    for _ in range(24):
        assert find_session(world.deps, started.handle) is not None
        world.clock.advance(minutes=29, seconds=59)
    assert find_session(world.deps, started.handle) is not None
    world.clock.advance(minutes=1)
    assert find_session(world.deps, started.handle) is None


def test_being_seen_again_within_30_seconds_writes_nothing(world: World) -> None:
    started = world.session(world.maria)
    world.clock.advance(seconds=29)
    find_session(world.deps, started.handle)
    assert world.store.sessions.find_by_id(started.session.id).seen_at == START
    world.clock.advance(seconds=1)
    find_session(world.deps, started.handle)
    assert world.store.sessions.find_by_id(started.session.id).seen_at == START + timedelta(seconds=30)


def test_the_eleventh_session_ends_the_oldest(world: World) -> None:
    started = []
    for _ in range(11):
        started.append(world.session(world.maria))
        world.clock.advance(seconds=1)
    alive = [find_session(world.deps, each.handle) is not None for each in started]
    assert alive == [False] + [True] * 10


def test_typing_the_password_again_gives_a_new_handle_and_kills_the_old(world: World) -> None:
    old = world.session(world.maria)
    world.clock.advance(minutes=20)
    actor = Actor(Credential.SESSION, world.maria.id, old.session.id)
    new = prove_session(world.deps, actor, Secret(PASSWORD))
    assert find_session(world.deps, old.handle) is None
    assert find_session(world.deps, new.handle) is not None
    assert new.session.is_fresh(world.clock.now())
    assert new.session.signed_in_at == old.session.signed_in_at
    with pytest.raises(NotAuthenticated):
        prove_session(world.deps, actor, Secret(PASSWORD))


def test_a_wrong_password_proves_nothing(world: World) -> None:
    old = world.session(world.maria)
    actor = Actor(Credential.SESSION, world.maria.id, old.session.id)
    with pytest.raises(NotAuthenticated):
        prove_session(world.deps, actor, Secret("wrong"))
    assert find_session(world.deps, old.handle) is not None


def test_only_a_session_can_be_proven(world: World) -> None:
    with pytest.raises(NotAuthenticated):
        prove_session(world.deps, acting(world.maria), Secret(PASSWORD))


def test_signing_out_ends_this_session_and_elsewhere_the_others(world: World) -> None:
    one, two, three = (world.session(world.maria) for _ in range(3))
    actor = Actor(Credential.SESSION, world.maria.id, one.session.id)
    assert sign_out_elsewhere(world.deps, actor) == 2
    assert [find_session(world.deps, each.handle) is not None for each in (one, two, three)] == [True, False, False]
    sign_out(world.deps, actor)
    assert find_session(world.deps, one.handle) is None


def test_somebody_elses_session_is_not_found(world: World) -> None:
    mine, theirs = world.session_actor(world.maria), world.session_actor(world.bob)
    for other in (theirs.credential_id, generate_id(START)):
        with pytest.raises(NotFound):
            sign_out(world.deps, mine, other)
    assert [each.id for each in list_sessions(world.deps, mine)] == [mine.credential_id]


def test_sessions_that_are_over_are_not_listed_and_pruned(world: World) -> None:
    world.session(world.maria)
    world.clock.advance(minutes=31)
    assert list_sessions(world.deps, acting(world.maria)) == []
    prune_sign_ins(world.deps)
    assert world.store.sessions.list(world.maria.id) == []


def test_who_was_disabled_while_their_password_was_checked_gets_no_session(world: World) -> None:
    right = world.hasher.verify

    def slow(stored: str | None, password: bytes) -> bool:
        found = right(stored, password)
        world.hasher.verify = right
        world.disable(world.maria)
        return found

    world.hasher.verify = slow
    with pytest.raises(NotAuthenticated):
        sign_in(world.deps, email="maria@example.com", password=Secret(PASSWORD))
    with world.store.read() as tx:
        assert tx.sessions.list(world.maria.id) == []
        assert len(tx.events.list(Page(limit=9))) > 0
