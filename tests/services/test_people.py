"""People: added, changed, disabled, deleted, recovered; passwords and one-time links."""

import pytest

from gatepass.errors import Conflict, InvalidInput, NotAllowed, NotAuthenticated, NotFound
from gatepass.interfaces import Page
from gatepass.model.secret import Secret, generate_id
from gatepass.model.user import User
from gatepass.services.change_password import change_password
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.check_password import check_password
from gatepass.services.create_user import create_user
from gatepass.services.delete_user import delete_user
from gatepass.services.find_session import find_session
from gatepass.services.get_user import get_user
from gatepass.services.issue_password_link import issue_password_link
from gatepass.services.list_users import list_users
from gatepass.services.recover_user import recover_user
from gatepass.services.set_password import find_link_user, set_password
from gatepass.testing.fakes import PASSWORD, START, acting
from services.conftest import World

NEW = "another good sentence"


def signs_in(world: World, email: str, password: str) -> bool:
    try:
        check_password(world.deps, email=email, password=Secret(password))
    except NotAuthenticated:
        return False
    return True


def change(world: World, user: User, **changes: object) -> User:
    return change_user(world.deps, acting(world.admin), user.id, UserChanges(**changes))


def test_a_person_with_a_password_can_sign_in(world: World) -> None:
    made = create_user(world.deps, acting(world.admin), email="New@Example.com", password=Secret(NEW))
    assert made.link is None
    assert made.user.email == "New@Example.com"
    assert signs_in(world, "new@example.COM", NEW)


def test_a_person_without_a_password_gets_a_link(world: World) -> None:
    made = create_user(world.deps, acting(world.admin), email="new@example.com")
    assert made.link is not None
    assert find_link_user(world.deps, made.link) == made.user
    assert set_password(world.deps, made.link, Secret(NEW)).id == made.user.id
    assert signs_in(world, "new@example.com", NEW)
    with pytest.raises(NotFound):
        set_password(world.deps, made.link, Secret(NEW))


def test_a_link_is_good_for_24_hours(world: World) -> None:
    link = create_user(world.deps, acting(world.admin), email="new@example.com").link
    world.clock.advance(hours=24, milliseconds=-1)
    find_link_user(world.deps, link)
    world.clock.advance(milliseconds=1)
    for use in (lambda: find_link_user(world.deps, link), lambda: set_password(world.deps, link, Secret(NEW))):
        with pytest.raises(NotFound):
            use()


def test_a_link_of_somebody_disabled_is_dead_until_they_are_enabled(world: World) -> None:
    made = create_user(world.deps, acting(world.admin), email="new@example.com")
    change(world, made.user, is_disabled=True)
    with pytest.raises(NotFound):
        set_password(world.deps, made.link, Secret(NEW))
    change(world, made.user, is_disabled=False)
    assert set_password(world.deps, made.link, Secret(NEW))


def test_a_link_of_somebody_deleted_is_dead(world: World) -> None:
    made = create_user(world.deps, acting(world.admin), email="new@example.com")
    delete_user(world.deps, acting(world.admin), made.user.id)
    with pytest.raises(NotFound):
        set_password(world.deps, made.link, Secret(NEW))


def test_a_link_survives_a_password_that_is_refused(world: World) -> None:
    link = create_user(world.deps, acting(world.admin), email="new@example.com").link
    with pytest.raises(InvalidInput):
        set_password(world.deps, link, Secret("too short"))
    assert set_password(world.deps, link, Secret(NEW))


@pytest.mark.parametrize("text", ["", "x", "é"])
def test_an_invented_link_is_not_found(world: World, text: str) -> None:
    with pytest.raises(NotFound):
        find_link_user(world.deps, Secret(text))


def test_a_new_link_ends_the_old_one_and_is_only_for_who_has_no_password(world: World) -> None:
    made = create_user(world.deps, acting(world.admin), email="new@example.com")
    new = issue_password_link(world.deps, acting(world.admin), made.user.id)
    with pytest.raises(NotFound):
        find_link_user(world.deps, made.link)
    set_password(world.deps, new, Secret(NEW))
    with pytest.raises(Conflict, match="has a password"):
        issue_password_link(world.deps, acting(world.admin), made.user.id)
    with pytest.raises(NotFound):
        issue_password_link(world.deps, acting(world.admin), generate_id(START))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"name": "a\nb"}, "name"),
        ({"password": Secret("short")}, "password"),
        ({"password": Secret("Password Password")}, "password"),
    ],
)
def test_a_person_that_cannot_be_is_not_added(world: World, fields: dict, field: str) -> None:
    before = len(world.events())
    with pytest.raises(InvalidInput) as caught:
        create_user(world.deps, acting(world.admin), **{"email": "new@example.com", **fields})
    assert caught.value.field == field
    assert len(world.events()) == before


def test_whoever_may_not_add_people_is_told_that_and_not_what_is_wrong(world: World) -> None:
    for fields in ({"email": "no address"}, {"email": "admin@example.com"}, {"password": Secret("short")}):
        with pytest.raises(NotAllowed):
            create_user(world.deps, acting(world.maria), **{"email": "new@example.com", **fields})


def test_an_address_that_is_taken_is_a_conflict_and_nothing_is_added(world: World) -> None:
    before = len(world.events())
    with pytest.raises(Conflict):
        create_user(world.deps, acting(world.admin), email="MARIA@example.com")
    with pytest.raises(Conflict):
        change(world, world.bob, email="Maria@example.com", name="Bob")
    assert len(world.events()) == before
    assert get_user(world.deps, acting(world.bob), world.bob.id).name is None


def test_people_change_their_own_name_and_nothing_else(world: World) -> None:
    me = acting(world.maria)
    assert change_user(world.deps, me, world.maria.id, UserChanges(name="Maria")).name == "Maria"
    for changes in (
        UserChanges(is_admin=True),
        UserChanges(email="m@example.com"),
        UserChanges(is_disabled=False),
        UserChanges(name="x", is_admin=True),
    ):
        with pytest.raises(NotAllowed):
            change_user(world.deps, me, world.maria.id, changes)
    assert get_user(world.deps, me, world.maria.id).name == "Maria"


def test_other_people_cannot_be_told_from_nobody(world: World) -> None:
    for user_id in (world.bob.id, generate_id(START)):
        for attempt in (
            lambda user_id=user_id: get_user(world.deps, acting(world.maria), user_id),
            lambda user_id=user_id: change_user(world.deps, acting(world.maria), user_id, UserChanges(name="x")),
            lambda user_id=user_id: change_user(world.deps, acting(world.maria), user_id, UserChanges(is_admin=True)),
            lambda user_id=user_id: delete_user(world.deps, acting(world.maria), user_id),
        ):
            with pytest.raises(NotFound):
                attempt()


def test_a_disabled_person_is_out_and_back_when_enabled(world: World) -> None:
    session = world.session(world.maria)
    change(world, world.maria, is_disabled=True)
    assert not signs_in(world, "maria@example.com", PASSWORD)
    assert find_session(world.deps, session.handle) is None
    change(world, world.maria, is_disabled=False)
    assert signs_in(world, "maria@example.com", PASSWORD)
    assert find_session(world.deps, session.handle) is None


def test_disabling_twice_keeps_the_first_date(world: World) -> None:
    first = change(world, world.maria, is_disabled=True).disabled_at
    world.clock.advance(days=1)
    assert change(world, world.maria, is_disabled=True).disabled_at == first


def test_signing_in_never_enables_anybody(world: World) -> None:
    change(world, world.maria, is_disabled=True)
    signs_in(world, "maria@example.com", PASSWORD)
    assert get_user(world.deps, acting(world.admin), world.maria.id).disabled_at is not None


@pytest.mark.parametrize("changes", [{"is_admin": False}, {"is_disabled": True}])
def test_the_last_administrator_stays_one(world: World, changes: dict) -> None:
    with pytest.raises(Conflict, match="last administrator"):
        change(world, world.admin, **changes)
    with pytest.raises(Conflict, match="last administrator"):
        delete_user(world.deps, acting(world.admin), world.admin.id)
    change(world, world.maria, is_admin=True)
    assert change(world, world.admin, **changes)


def test_a_disabled_administrator_does_not_count(world: World) -> None:
    change(world, world.maria, is_admin=True)
    change(world, world.maria, is_disabled=True)
    with pytest.raises(Conflict, match="last administrator"):
        delete_user(world.deps, acting(world.admin), world.admin.id)


def test_a_change_that_changes_nothing_leaves_no_trace(world: World) -> None:
    before = len(world.events())
    world.clock.advance(days=1)
    assert change(world, world.maria, is_disabled=False).updated_at == world.maria.updated_at
    assert change(world, world.maria).updated_at == world.maria.updated_at
    assert len(world.events()) == before


def test_a_deleted_person_is_gone_with_password_and_sessions(world: World) -> None:
    session = world.session(world.maria)
    delete_user(world.deps, acting(world.admin), world.maria.id)
    assert not signs_in(world, "maria@example.com", PASSWORD)
    assert find_session(world.deps, session.handle) is None
    assert [user.email for user in list_users(world.deps, acting(world.admin), page=Page(limit=9))] == [
        "admin@example.com",
        "bob@example.com",
    ]
    for attempt in (get_user, delete_user):
        with pytest.raises(NotFound):
            attempt(world.deps, acting(world.admin), world.maria.id)


def test_a_changed_password_ends_other_sessions_and_leaves_tokens(world: World) -> None:
    from gatepass.model.verdict import Accepted

    token = world.token(world.admin)
    here, there = world.session_actor(world.admin), world.session(world.admin)
    change_password(world.deps, here, current=Secret(PASSWORD), new=Secret(NEW))
    assert find_session(world.deps, there.handle) is None
    assert [session.id for session in world.store.sessions.list(world.admin.id)] == [here.credential_id]
    assert isinstance(world.verifier.verify(token.value.reveal()), Accepted)
    assert signs_in(world, "admin@example.com", NEW)
    assert not signs_in(world, "admin@example.com", PASSWORD)


def test_changing_by_password_alone_ends_every_session(world: World) -> None:
    session = world.session(world.maria)
    change_password(world.deps, acting(world.maria), current=Secret(PASSWORD), new=Secret(NEW))
    assert find_session(world.deps, session.handle) is None


def test_a_wrong_current_password_changes_nothing_and_counts_as_a_failure(world: World) -> None:
    from gatepass.errors import TooManyRequests

    for _ in range(5):
        with pytest.raises(InvalidInput, match="currentPassword"):
            change_password(world.deps, acting(world.maria), current=Secret("wrong"), new=Secret(NEW))
    with pytest.raises(TooManyRequests):
        change_password(world.deps, acting(world.maria), current=Secret(PASSWORD), new=Secret(NEW))


def test_a_weak_new_password_is_named(world: World) -> None:
    with pytest.raises(InvalidInput, match="newPassword"):
        change_password(world.deps, acting(world.maria), current=Secret(PASSWORD), new=Secret("short"))


def test_a_token_changes_no_password(world: World) -> None:
    with pytest.raises(NotAllowed):
        change_password(world.deps, world.token_actor(world.admin), current=Secret(PASSWORD), new=Secret(NEW))


def test_the_console_gives_an_administrator_their_access_back(world: World) -> None:
    session = world.session(world.maria)
    change(world, world.maria, is_admin=True)
    change(world, world.maria, is_disabled=True)
    found = recover_user(world.deps, "MARIA@example.com", Secret(NEW))
    assert (found.disabled_at, found.is_admin) == (None, True)
    assert signs_in(world, "maria@example.com", NEW)
    assert find_session(world.deps, session.handle) is None
    with pytest.raises(NotFound):
        recover_user(world.deps, "nobody@example.com", Secret(NEW))
    with pytest.raises(InvalidInput):
        recover_user(world.deps, "maria@example.com", Secret("short"))


def test_unused_links_are_pruned(world: World) -> None:
    from gatepass.services.prune_sign_ins import prune_sign_ins

    link = create_user(world.deps, acting(world.admin), email="new@example.com").link
    world.clock.advance(hours=25)
    prune_sign_ins(world.deps)
    world.clock.advance(hours=-25)
    with pytest.raises(NotFound):
        find_link_user(world.deps, link)
