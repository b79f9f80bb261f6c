"""People who leave a directory: disabled within the stated time, and what holds while it is out of reach."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gatepass.errors import NotAuthenticated, Unavailable
from gatepass.model.token import CreatedToken
from gatepass.model.user import User
from gatepass.model.verdict import Accepted
from gatepass.services.create_token import create_token
from gatepass.services.read_directories import Reading, read_directories
from services.conftest import World
from services.test_providers import ANNA, Company, acting_from


@pytest.fixture
def company(world: World, tmp_path: Path) -> Company:
    made = Company(world, tmp_path / "people.json")
    world.allow_everybody()
    return made


def person(company: Company, number: int = 0) -> tuple[User, CreatedToken]:
    """Return somebody from the directory, and a token of theirs."""
    login = f"anna{number}" if number else "anna"
    company.change(f"s-{login}", **{**ANNA, "login": login, "email": f"{login}@example.com"})
    user = company.check(login)
    return user, create_token(company.deps, acting_from(user), lifetime_seconds=864_000)


def works(company: Company, token: CreatedToken) -> bool:
    return isinstance(company.world.verifier.verify(token.value.reveal()), Accepted)


def read_after(company: Company, **time: float) -> Reading:
    company.world.clock.advance(**time)
    return read_directories(company.deps)


def grace(company: Company, **fields: int) -> None:
    company.deps = replace(company.deps, providers={"corp": replace(company.deps.providers["corp"], **fields)})


LEAVING = {
    "gone": lambda company: company.people.pop("s-anna"),
    "disabled": lambda company: company.people["s-anna"].update(disabled=True),
    "lost-group": lambda company: company.people["s-anna"].update(groups=[]),
}


@pytest.mark.parametrize("why", LEAVING)
def test_who_left_is_disabled_at_the_next_reading_and_their_tokens_are_refused(company: Company, why: str) -> None:
    company.rules(sign_in_groups=frozenset({"staff"}))
    user, token = person(company)
    LEAVING[why](company)
    company.keep()
    assert works(company, token)
    reading = read_after(company, minutes=15)
    assert (reading.read, reading.disabled, reading.out_of_reach) == (1, 1, {})
    assert not works(company, token)
    record = company.world.events()[-1]
    assert (record.action, record.subject_id) == ("person.disabled", user.id)
    assert record.details == {"provider": "corp", "reason": why}


def test_nobody_is_asked_about_more_often_than_is_stated(company: Company) -> None:
    person(company)
    assert read_after(company, minutes=14).read == 0
    assert read_after(company, minutes=1).read == 1
    assert read_after(company, minutes=14).read == 0


def test_whoever_would_be_late_at_the_next_look_is_asked_about_now(company: Company) -> None:
    person(company)
    company.world.clock.advance(minutes=14)
    assert read_directories(company.deps, next_in=timedelta(seconds=59)).read == 0
    assert read_directories(company.deps, next_in=timedelta(seconds=60)).read == 1


def test_what_changed_in_the_directory_is_changed_here(company: Company) -> None:
    company.rules(admin_groups=frozenset({"admins"}))
    user, token = person(company)
    company.change(name="Anna B.", groups=["admins"])
    read_after(company, minutes=15)
    with company.world.store.read() as tx:
        found = tx.users.find(user.id)
    assert (found.name, found.is_admin) == ("Anna B.", True)
    assert works(company, token)


def test_local_people_are_asked_about_nowhere(company: Company) -> None:
    assert read_after(company, hours=100) == Reading()


def test_nobody_who_left_gets_one_more_token(company: Company) -> None:
    user, token = person(company)
    company.people.clear()
    company.keep()
    company.world.clock.advance(seconds=31)
    with pytest.raises(NotAuthenticated):
        create_token(company.deps, acting_from(user), lifetime_seconds=60)
    assert not works(company, token)


def test_the_last_word_holds_for_the_grace_and_no_longer(company: Company) -> None:
    user, token = person(company)
    company.file.unlink()
    assert read_after(company, minutes=59).out_of_reach.keys() == {"corp"}
    assert works(company, token)
    assert read_after(company, minutes=1).disabled == 1
    assert not works(company, token)
    record = [each for each in company.world.events() if each.action == "person.disabled"][-1]
    assert (record.subject_id, record.details["reason"]) == (user.id, "unreachable")


def test_an_administrators_does_not_hold_at_all(company: Company) -> None:
    company.rules(admin_groups=frozenset({"staff"}))
    _, token = person(company)
    company.file.unlink()
    read_after(company, minutes=14)
    assert works(company, token)
    read_after(company, minutes=1)
    assert not works(company, token)


def test_the_grace_can_be_stated(company: Company) -> None:
    grace(company, grace_seconds=0)
    _, token = person(company)
    company.file.unlink()
    read_after(company, minutes=15)
    assert not works(company, token)


def test_who_was_out_of_reach_is_enabled_when_the_directory_is_back(company: Company) -> None:
    _, token = person(company)
    company.file.unlink()
    read_after(company, hours=2)
    assert not works(company, token)
    company.keep()
    assert read_after(company, minutes=1).enabled == 1
    assert works(company, token)


def test_who_left_during_an_outage_stays_disabled(company: Company) -> None:
    _, token = person(company)
    company.file.unlink()
    read_after(company, hours=2)
    company.people.clear()
    company.keep()
    read_after(company, minutes=1)
    company.change("s-anna", **ANNA)
    read_after(company, minutes=15)
    assert not works(company, token)


@pytest.mark.parametrize("returns", [False, True])
def test_coming_back_enables_where_the_site_says_so(company: Company, returns: bool) -> None:
    company.rules(enables_returning=returns)
    _, token = person(company)
    company.people["s-anna"]["disabled"] = True
    company.keep()
    read_after(company, minutes=15)
    company.change("s-anna", disabled=False)
    read_after(company, minutes=15)
    assert works(company, token) is returns


def test_whom_an_administrator_disabled_no_reading_enables(company: Company) -> None:
    company.rules(enables_returning=True)
    user, token = person(company)
    company.world.disable(user)
    assert read_after(company, minutes=15).read == 0
    assert not works(company, token)


def test_a_token_is_not_made_when_the_directory_is_out_of_reach_for_too_long(company: Company) -> None:
    user, _ = person(company)
    company.file.unlink()
    company.world.clock.advance(minutes=59)
    assert create_token(company.deps, acting_from(user), lifetime_seconds=60)
    company.world.clock.advance(minutes=1)
    with pytest.raises(Unavailable):
        create_token(company.deps, acting_from(user), lifetime_seconds=60)


def test_a_directory_that_shows_nobody_any_more_is_out_of_reach(company: Company) -> None:
    tokens = [person(company, number)[1] for number in range(1, 11)]
    company.people.clear()
    company.keep()
    reading = read_after(company, minutes=15)
    assert (reading.disabled, reading.out_of_reach.keys()) == (0, {"corp"})
    assert all(works(company, token) for token in tokens)
    read_after(company, minutes=45)
    assert not any(works(company, token) for token in tokens)


def test_somebody_whom_a_directory_does_not_show_ends_nobody_else(company: Company) -> None:
    tokens = [person(company, number)[1] for number in (1, 2, 3)]
    company.change("s-anna1", hidden=True)
    reading = read_after(company, minutes=15)
    assert (reading.read, reading.out_of_reach, reading.silent.keys()) == (2, {}, {"corp"})
    assert [works(company, token) for token in tokens] == [True, True, True]
    read_after(company, minutes=45)
    assert [works(company, token) for token in tokens] == [False, True, True]


def test_more_people_than_one_batch_are_all_read(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepass.services.read_directories._BATCH", 2)
    for number in range(1, 6):
        person(company, number)
    assert read_after(company, minutes=15).read == 5
