"""People whom a directory pushes: who they are at sign-in, what deactivating does, and what coming back does not."""

from dataclasses import replace

import pytest

from gatepass.errors import Conflict, Immutable, InvalidInput, NotAllowed, NotFound, NotUnique
from gatepass.interfaces import Page
from gatepass.model.actor import Actor, Credential
from gatepass.model.pushed import Pushed
from gatepass.model.user import User
from gatepass.model.verdict import Accepted
from gatepass.services.change_pushed_user import change_pushed_user
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_token import create_token
from gatepass.services.delete_pushed_user import delete_pushed_user
from gatepass.services.get_pushed_user import get_pushed_user
from gatepass.services.list_pushed_users import list_pushed_users
from gatepass.services.push_user import push_user
from gatepass.services.read_directories import read_directories
from gatepass.testing.fakes import acting
from services.test_providers import Company, acting_from
from services.test_providers import company as company  # noqa: PLC0414  a fixture

CORP = Actor(Credential.PROVIDER, provider="corp")
ANNA_PUSHED = Pushed(subject="s-anna", email="anna@example.com", name="Anna", is_active=True)
GONE, BACK = Pushed(is_active=False), Pushed(is_active=True)


def pushed(company: Company, **fields: object) -> User:
    return push_user(company.deps, CORP, replace(ANNA_PUSHED, **fields))


def change(company: Company, user: User, **fields: object) -> User:
    return change_pushed_user(company.deps, CORP, user.id, Pushed(**fields))


def test_who_signs_in_later_is_the_person_that_was_pushed(company: Company) -> None:
    made = pushed(company)
    assert company.check().id == made.id


def test_who_is_pushed_can_sign_in_where_nobody_is_made_at_sign_in(company: Company) -> None:
    company.rules(creates_users=False)
    assert company.refused()
    made = pushed(company)
    assert company.check().id == made.id


def test_who_is_pushed_is_no_administrator_and_generates_by_groups_alone(company: Company) -> None:
    company.rules(admin_groups=frozenset({"staff"}), generate_groups=frozenset({"staff"}))
    made = pushed(company)
    assert (made.is_admin, made.may_generate) == (False, False)
    there = company.check()
    assert (there.is_admin, there.may_generate) == (True, True)


def test_what_is_pushed_is_recorded_as_done_by_the_provider(company: Company) -> None:
    user = pushed(company)
    change(company, user, is_active=False)
    delete_pushed_user(company.deps, CORP, user.id)
    records = [each for each in company.world.events() if each.owner_id == user.id]
    assert [each.action for each in records] == ["person.created", "person.disabled", "person.deleted"]
    assert {(each.actor_name, each.credential, each.actor_id) for each in records} == {
        ("corp", Credential.PROVIDER, None)
    }
    assert records[1].details == {"provider": "corp", "reason": "deactivated"}


def test_a_subject_or_a_name_that_is_taken_makes_nobody(company: Company) -> None:
    pushed(company)
    for fields in (
        {},
        {"email": "other@example.com"},
        {"subject": "s-2"},
        {"subject": "s-2", "email": "MARIA@example.com"},
    ):
        with pytest.raises(NotUnique):
            pushed(company, **fields)
    assert list_pushed_users(company.deps, CORP, Page(limit=10)).total == 1


def test_who_is_deactivated_is_refused_at_once(company: Company) -> None:
    user = pushed(company)
    company.world.allow_everybody()
    token = create_token(company.deps, acting_from(user), lifetime_seconds=60)
    assert isinstance(company.world.verifier.verify(token.value.reveal()), Accepted)
    change(company, user, is_active=False)
    assert not isinstance(company.world.verifier.verify(token.value.reveal()), Accepted)
    assert company.refused()


@pytest.mark.parametrize("returns", [False, True])
def test_being_active_again_enables_where_the_site_says_so(company: Company, returns: bool) -> None:
    company.rules(enables_returning=returns)
    user = pushed(company)
    change(company, user, is_active=False)
    assert change(company, user, is_active=True).is_live is returns


def test_who_is_pushed_out_is_not_let_in_by_a_sign_in_or_a_reading(company: Company) -> None:
    company.rules(enables_returning=True)
    user = pushed(company)
    change(company, user, is_active=False)
    assert company.refused()
    read_directories(company.deps)
    assert not get_pushed_user(company.deps, CORP, user.id).is_live


def test_who_is_pushed_out_stays_out_when_they_lose_more_and_get_it_back(company: Company) -> None:
    company.rules(enables_returning=True, sign_in_groups=frozenset({"staff"}))
    user = pushed(company)
    change(company, user, is_active=False)
    company.change(groups=[])
    assert company.refused()
    company.change(groups=["staff"])
    assert company.refused()
    assert get_pushed_user(company.deps, CORP, user.id).lost == "deactivated lost-group"


def test_who_lost_the_group_too_is_back_only_when_they_have_that_back(company: Company) -> None:
    company.rules(enables_returning=True, sign_in_groups=frozenset({"staff"}))
    user = pushed(company)
    for lost_first in (True, False):
        company.change(groups=[])
        if lost_first:
            assert company.refused()
        change(company, user, is_active=False)
        if not lost_first:
            assert company.refused()
        assert not change(company, user, is_active=True).is_live
        assert get_pushed_user(company.deps, CORP, user.id).lost == "lost-group"
        company.change(groups=["staff"])
        assert company.check().is_live


def test_being_pushed_again_undoes_nothing_but_being_pushed_out(company: Company) -> None:
    company.rules(enables_returning=True, sign_in_groups=frozenset({"staff"}))
    user = pushed(company)
    company.change(groups=[])
    assert company.refused()
    assert not change(company, user, is_active=True).is_live
    company.change(groups=["staff"])
    company.check()
    company.world.disable(user)
    change(company, user, is_active=False)
    assert not change(company, user, is_active=True).is_live


def test_whom_an_administrator_enables_is_enabled(company: Company) -> None:
    user = pushed(company, is_active=False)
    assert (user.is_live, user.lost) == (False, "deactivated")
    change_user(company.deps, acting(company.world.admin), user.id, UserChanges(is_disabled=False))
    assert company.check().id == user.id


def test_the_last_administrator_is_neither_deactivated_nor_deleted(company: Company) -> None:
    user = pushed(company)
    admin = acting(company.world.admin)
    change_user(company.deps, admin, user.id, UserChanges(is_admin=True))
    change_user(company.deps, acting_from(user), company.world.admin.id, UserChanges(is_admin=False))
    with pytest.raises(Conflict):
        change(company, user, is_active=False, name="Somebody")
    with pytest.raises(Conflict):
        delete_pushed_user(company.deps, CORP, user.id)
    assert (get_pushed_user(company.deps, CORP, user.id).name, company.check().is_admin) == ("Anna", True)


def test_a_subject_never_changes(company: Company) -> None:
    user = pushed(company)
    with pytest.raises(Immutable):
        change(company, user, subject="s-other", name="Other")
    assert change(company, user, subject="s-anna") == user


def test_a_name_that_is_taken_changes_nothing(company: Company) -> None:
    user = pushed(company)
    with pytest.raises(NotUnique):
        change(company, user, email="maria@example.com", is_active=False)
    assert get_pushed_user(company.deps, CORP, user.id) == user


def test_who_is_named_by_the_directory_is_not_renamed_by_a_sign_in(company: Company) -> None:
    company.rules(names_are_pushed=True)
    pushed(company, email="a.berg@example.com", name="Anna Berg")
    company.change(email="anna@example.com", name="Anna")
    there = company.check()
    assert (there.email, there.name) == ("a.berg@example.com", "Anna Berg")


def test_nothing_that_changes_nothing_is_recorded(company: Company) -> None:
    user = pushed(company)
    before = len(company.world.events())
    assert change(company, user, email=user.email, name="Anna", is_active=True) == user
    assert len(company.world.events()) == before


def attempts(company: Company, actor: Actor, user: User) -> list[type[Exception] | None]:
    """Return what a directory gets that looks at somebody, changes and deletes them."""
    found: list[type[Exception] | None] = []
    for act in (
        lambda: get_pushed_user(company.deps, actor, user.id),
        lambda: change_pushed_user(company.deps, actor, user.id, GONE),
        lambda: delete_pushed_user(company.deps, actor, user.id),
    ):
        try:
            act()
            found.append(None)
        except (NotAllowed, NotFound) as error:
            found.append(type(error))
    return found


def test_others_people_are_not_there(company: Company) -> None:
    user = pushed(company)
    stranger = Actor(Credential.PROVIDER, provider="partners")
    assert attempts(company, stranger, user) == [NotFound] * 3
    assert attempts(company, CORP, company.world.maria) == [NotFound] * 3
    assert attempts(company, CORP, user) == [None] * 3
    user, page = pushed(company), Page(limit=10)
    assert list_pushed_users(company.deps, stranger, page).total == 0
    assert list_pushed_users(company.deps, stranger, page, emails=["anna@example.com"]).total == 0
    assert list_pushed_users(company.deps, stranger, page, subject="s-anna").total == 0
    assert list_pushed_users(company.deps, CORP, page, emails=["maria@example.com"]).total == 0
    assert list_pushed_users(company.deps, CORP, page, emails=["nobody@corp", "ANNA@example.com"]).users == [user]


@pytest.mark.parametrize("actor", [Actor(Credential.PROVIDER), Actor(Credential.CONSOLE), Actor(Credential.VERIFIER)])
def test_nobody_but_a_directory_pushes(company: Company, actor: Actor) -> None:
    user = pushed(company)
    assert attempts(company, actor, user) == [NotAllowed] * 3
    with pytest.raises(NotAllowed):
        list_pushed_users(company.deps, actor, Page(limit=1))
    with pytest.raises(NotAllowed):
        push_user(
            company.deps, replace(acting(company.world.admin), provider="corp"), replace(ANNA_PUSHED, subject="x")
        )


def test_who_is_deleted_and_pushed_again_is_somebody_new(company: Company) -> None:
    user = pushed(company)
    delete_pushed_user(company.deps, CORP, user.id)
    again = pushed(company)
    assert again.id != user.id
    assert company.check().id == again.id


def test_somebody_without_a_subject_or_a_name_is_nobody(company: Company) -> None:
    for fields in ({"subject": None}, {"email": None}, {"subject": "a\u0007"}, {"email": "no address"}):
        with pytest.raises(InvalidInput):
            pushed(company, **fields)
