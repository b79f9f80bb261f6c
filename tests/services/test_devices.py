"""Browsers that are remembered: whose failures count apart, whose do not, and for which account."""

import json
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from gatepass.errors import NotAuthenticated, TooManyRequests
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.actor import CONSOLE, Actor, Credential
from gatepass.model.device import MOST_DEVICES
from gatepass.model.identity import Admission
from gatepass.model.journal import Fate, JournalRecord
from gatepass.model.secret import Secret
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.check_password import check_password
from gatepass.services.create_user import create_user
from gatepass.services.delete_user import delete_user
from gatepass.services.deps import Deps
from gatepass.services.prove_session import prove_session
from gatepass.services.prune_sign_ins import prune_sign_ins
from gatepass.services.recover_user import recover_user
from gatepass.services.replay_journal import replay_journal
from gatepass.services.sign_in import StartedSession, sign_in
from gatepass.testing.fakes import PASSWORD, acting
from services.conftest import World
from support.toy import Options, ToyProvider

MARIA = "maria@example.com"
WINTER = "winter harbour"


def attempt(deps: Deps, login: str, password: str, device: Secret | None = None, *, address: str = "192.0.2.1") -> str:
    """Return `ok`, `refused`, or `wait N`."""
    try:
        check_password(deps, email=login, password=Secret(password), address=address, device=device)
    except NotAuthenticated:
        return "refused"
    except TooManyRequests as error:
        return f"wait {error.retry_after}"
    return "ok"


def attack(deps: Deps, login: str, *, address: str = "192.0.2.1") -> None:
    assert [attempt(deps, login, "wrong", address=address) for _ in range(6)] == ["refused"] * 5 + ["wait 1"]


def started(deps: Deps, login: str = MARIA, password: str = PASSWORD, device: Secret | None = None) -> StartedSession:
    return sign_in(deps, email=login, password=Secret(password), device=device)


@pytest.fixture
def company(world: World, tmp_path) -> Deps:
    """The world with a directory, where Anna is."""
    people(tmp_path, {"s-anna": {"login": "anna", "password": WINTER, "email": "anna@example.com"}})
    toy = ToyProvider(Options(people=str(tmp_path / "people.json")), "corp", world.clock)
    configured = ConfiguredProvider(id="corp", name="Company", provider=toy, admission=Admission())
    return replace(world.deps, providers={"corp": configured})


def people(folder, found: dict[str, dict[str, str]]) -> None:
    (folder / "people.json").write_text(json.dumps(found))


def test_of_200_guesses_from_a_device_at_once_five_are_judged_while_the_account_is_throttled(world: World) -> None:
    device = started(world.deps).device
    attack(world.deps, MARIA)
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.append(attempt(world.deps, MARIA, "wrong", device))) for _ in range(200)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (results.count("refused"), results.count("wait 1")) == (5, 195)


def test_guesses_from_a_device_are_judged_one_after_the_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    device = started(world.deps).device
    meeting, right, met = threading.Barrier(2), world.hasher.verify, []

    def verify(stored: str | None, password: bytes) -> bool:
        with suppress(threading.BrokenBarrierError):
            met.append(meeting.wait(timeout=0.2))
        return right(stored, password)

    monkeypatch.setattr(world.hasher, "verify", verify)
    threads = [threading.Thread(target=attempt, args=(world.deps, MARIA, "wrong", device)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert met == []


def test_a_thief_of_one_cookie_gets_five_guesses_an_hour_beyond_everybodys(world: World) -> None:
    device = started(world.deps).device
    judged = 0
    for _ in range(3600):
        judged += attempt(world.deps, MARIA, "wrong", device) == "refused"
        world.clock.advance(seconds=1)
    assert judged == 17 + 5


def test_after_an_hour_a_device_is_known_again(world: World) -> None:
    device = started(world.deps).device
    for _ in range(5):
        attempt(world.deps, MARIA, "wrong", device)
    world.clock.advance(hours=1)
    attack(world.deps, MARIA)
    assert attempt(world.deps, MARIA, PASSWORD, device) == "ok"


def test_each_device_has_its_own_free_failures(world: World) -> None:
    one, other = started(world.deps).device, started(world.deps).device
    attack(world.deps, MARIA)
    assert [attempt(world.deps, MARIA, "wrong", one) for _ in range(6)] == ["refused"] * 5 + ["wait 1"]
    assert attempt(world.deps, MARIA, PASSWORD, one) == "wait 1"
    assert attempt(world.deps, MARIA, PASSWORD, other) == "ok"


def test_no_more_than_ten_devices_of_a_person_are_kept_and_each_sign_in_replaces_its_own(world: World) -> None:
    device = None
    for _ in range(MOST_DEVICES + 3):
        device = started(world.deps, device=device).device
    with world.store.read() as tx:
        assert len(tx.devices.list(world.maria.id)) == 1
    for _ in range(MOST_DEVICES + 3):
        started(world.deps)
    with world.store.read() as tx:
        assert len(tx.devices.list(world.maria.id)) == MOST_DEVICES


def test_a_device_goes_with_its_time(world: World) -> None:
    started(world.deps)
    world.clock.advance(days=364)
    prune_sign_ins(world.deps)
    with world.store.read() as tx:
        assert len(tx.devices.list(world.maria.id)) == 1
    world.clock.advance(days=2)
    prune_sign_ins(world.deps)
    with world.store.read() as tx:
        assert tx.devices.list(world.maria.id) == []


def test_a_console_that_recovers_somebody_leaves_their_devices_and_forgets_what_was_tried_there(world: World) -> None:
    device = started(world.deps).device
    for _ in range(5):
        assert attempt(world.deps, MARIA, "forgotten", device) == "refused"
    recover_user(world.deps, MARIA, Secret("another good sentence"))
    attack(world.deps, MARIA)
    assert attempt(world.deps, MARIA, "another good sentence", device) == "ok"


def test_a_device_is_of_the_person_not_of_the_address(world: World) -> None:
    device = started(world.deps).device
    change_user(world.deps, CONSOLE, world.maria.id, UserChanges(email="mia@example.com"))
    change_user(world.deps, CONSOLE, world.bob.id, UserChanges(email=MARIA))
    attack(world.deps, MARIA)
    attack(world.deps, "mia@example.com", address="192.0.2.2")
    assert attempt(world.deps, MARIA, PASSWORD, device) == "wait 1"
    assert attempt(world.deps, "mia@example.com", PASSWORD, device) == "ok"


def test_who_is_deleted_leaves_no_device(world: World) -> None:
    started(world.deps)
    delete_user(world.deps, acting(world.admin), world.maria.id)
    with world.store.read() as tx:
        assert tx.devices.list(world.maria.id) == []


@pytest.mark.parametrize("fate", [Fate.USER_DISABLED, Fate.USER_DELETED])
def test_whom_the_journal_ends_after_a_restore_has_no_device(world: World, fate: Fate) -> None:
    started(world.deps)
    record = JournalRecord(1, 0, 1, world.clock.now(), ((fate, world.maria.id),))
    with world.store.write() as tx:
        replay_journal(tx, [record], now=world.clock.now())
        assert tx.devices.list(world.maria.id) == []


@pytest.mark.parametrize("login", ["anna", "ANNA "])
def test_somebody_of_a_directory_gets_in_where_they_did_before(company: Deps, login: str) -> None:
    device = started(company, "anna", WINTER).device
    attack(company, "anna")
    assert attempt(company, login, WINTER, device) == "ok"
    assert attempt(company, login, WINTER) == "wait 1"


def test_failures_from_a_device_do_not_throttle_the_account_in_the_directory(company: Deps) -> None:
    device = started(company, "anna", WINTER).device
    for _ in range(5):
        assert attempt(company, "anna", "wrong", device) == "refused"
    assert attempt(company, "anna", WINTER) == "ok"


def test_somebody_of_a_directory_can_prove_themselves_where_they_signed_in(company: Deps) -> None:
    session = started(company, "anna", WINTER)
    actor = Actor(Credential.SESSION, session.session.user_id, session.session.id, address="192.0.2.1")
    attack(company, "anna")
    with pytest.raises(TooManyRequests):
        prove_session(company, actor, Secret(WINTER))
    assert prove_session(company, actor, Secret(WINTER), device=session.device)


def test_a_device_opens_nothing_where_its_name_is_somebody_elses_account_now(company: Deps, tmp_path) -> None:
    device = started(company, "anna", WINTER).device
    people(tmp_path, {"s-other": {"login": "anna", "password": "summer harbour", "email": "other@example.com"}})
    attack(company, "anna")
    assert attempt(company, "anna", "summer harbour", device) == "wait 1"


def test_a_device_of_the_directory_opens_nothing_at_a_local_account_of_that_name(company: Deps) -> None:
    device = started(company, "anna", WINTER).device
    create_user(company, CONSOLE, email="anna@example.org", password=Secret(PASSWORD))
    attack(company, "anna@example.org")
    assert attempt(company, "anna@example.org", PASSWORD, device) == "wait 1"


@pytest.mark.parametrize("there", [True, False])
def test_a_local_device_opens_nothing_in_the_directory(company: Deps, tmp_path, *, there: bool) -> None:
    device = started(company).device
    maria = {"login": "maria", "password": WINTER, "email": "m@example.org"}
    people(tmp_path, {"s-maria": maria} if there else {})
    attack(company, "maria")
    assert attempt(company, "maria", WINTER, device) == "wait 1"


def test_a_device_opens_nothing_at_another_name_of_the_directory(company: Deps) -> None:
    device = started(company, "anna", WINTER).device
    attack(company, "nobody")
    assert attempt(company, "nobody", WINTER, device) == "wait 1"
