"""Local sign-in switched off: no password that is kept here counts, but for an hour one that the console set."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gatepass.errors import Conflict, InvalidInput, NotAllowed, NotAuthenticated, NotFound, TooManyRequests
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.actor import CONSOLE, Actor, Credential
from gatepass.model.identity import Finished, Identity
from gatepass.model.secret import Secret
from gatepass.model.user import User
from gatepass.model.verdict import Accepted
from gatepass.services.change_password import change_password
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.check_password import check_password
from gatepass.services.create_user import create_user
from gatepass.services.delete_user import delete_user
from gatepass.services.deps import Deps
from gatepass.services.find_passwordless import find_passwordless
from gatepass.services.find_session import find_session
from gatepass.services.is_needed_to_recover import is_needed_to_recover
from gatepass.services.issue_password_link import issue_password_link
from gatepass.services.prove_session import prove_session
from gatepass.services.recover_user import recover_user
from gatepass.services.set_password import find_link_user, set_password
from gatepass.services.sign_in import StartedSession, sign_in
from gatepass.services.sign_in_identity import sign_in_identity
from gatepass.testing.fakes import PASSWORD, acting, knowing_password
from services.conftest import World
from support.toy import Options, ToyProvider

RECOVERED = "quiet harbour at midnight"


@pytest.fixture
def off(world: World) -> Deps:
    """The same installation two hours after everybody was added, started again with `sign_in.local = false`."""
    world.clock.advance(hours=2)
    return replace(world.deps, local_sign_in=False)


@pytest.fixture
def toy(world: World, off: Deps, tmp_path: Path) -> Deps:
    """The same with a directory, which has Anna."""
    file = tmp_path / "people.json"
    file.write_text('{"s-anna": {"login": "anna", "password": "winter harbour"}}')
    provider = ToyProvider(Options(people=str(file)), "corp", world.clock)
    return replace(off, providers={"corp": ConfiguredProvider(id="corp", name="Company", provider=provider)})


def lets_in(deps: Deps, user: User, password: str, *, address: str = "192.0.2.9") -> bool:
    try:
        check_password(deps, email=user.email, password=Secret(password), address=address)
    except NotAuthenticated:
        return False
    return True


def guess(deps: Deps, user: User) -> None:
    """Guess at a password from other addresses until it is nobody's turn."""
    for number in range(5):
        assert not lets_in(deps, user, "wrong", address=f"198.51.100.{number}")
    with pytest.raises(TooManyRequests):
        lets_in(deps, user, RECOVERED)


def begin(deps: Deps, user: User, password: str = PASSWORD) -> StartedSession:
    return sign_in(deps, email=user.email, password=Secret(password), address="192.0.2.9")


def test_a_password_that_is_kept_here_is_refused_like_a_wrong_one_after_the_same_work(world: World, off: Deps) -> None:
    for password in (PASSWORD, "wrong"):
        before = world.hasher.verified
        with pytest.raises(NotAuthenticated) as caught:
            check_password(off, email=world.maria.email, password=Secret(password))
        assert (str(caught.value), world.hasher.verified - before) == (str(NotAuthenticated()), 1)
    assert begin(world.deps, world.maria)  # the password was right


def test_the_audit_record_says_why_and_not_whether_it_was_right(world: World, off: Deps) -> None:
    for password in (PASSWORD, "wrong"):
        with pytest.raises(NotAuthenticated):
            check_password(off, email=world.maria.email, password=Secret(password))
    refused = [each for each in world.events() if each.action == "sign-in.refused"]
    assert [(each.owner_id, each.details["reason"]) for each in refused] == [(world.maria.id, "local-off")] * 2


def test_sessions_from_before_are_over_and_tokens_go_on_working(world: World, off: Deps) -> None:
    world.allow_everybody()
    session, token = begin(world.deps, world.maria), world.token(world.maria)
    assert find_session(world.deps, session.handle)
    assert find_session(off, session.handle) is None
    assert isinstance(world.verifier.verify(token.value.reveal()), Accepted)


def test_for_an_hour_after_the_console_set_it_a_password_counts(world: World, off: Deps) -> None:
    recover_user(off, world.admin.email, Secret(RECOVERED))
    world.clock.advance(hours=1, seconds=-1)
    session = begin(off, world.admin, RECOVERED)
    world.clock.advance(seconds=1)
    with pytest.raises(NotAuthenticated):
        begin(off, world.admin, RECOVERED)
    assert find_session(off, session.handle)
    before = world.hasher.verified
    with pytest.raises(NotAllowed, match="counts no longer"):
        prove_session(off, Actor(Credential.SESSION, world.admin.id, session.session.id), Secret(RECOVERED))
    assert world.hasher.verified == before


@pytest.mark.parametrize(("minutes", "counts"), [(59, True), (61, False)])
def test_a_console_whose_clock_is_ahead_gives_no_longer_than_an_hour_more(
    world: World, off: Deps, minutes: int, counts: bool
) -> None:
    world.clock.advance(minutes=minutes)
    recover_user(off, world.admin.email, Secret(RECOVERED))
    world.clock.advance(minutes=-minutes)
    assert lets_in(off, world.admin, RECOVERED) is counts


def test_recovery_ends_the_waiting_that_failures_brought(world: World, toy: Deps) -> None:
    guess(toy, world.admin)
    recover_user(toy, world.admin.email, Secret(RECOVERED))
    assert lets_in(toy, world.admin, RECOVERED)


def test_where_the_administrator_signed_in_before_nobodys_guesses_use_up_the_hour(world: World, toy: Deps) -> None:
    device = begin(replace(toy, local_sign_in=True), world.admin).device
    recover_user(toy, world.admin.email, Secret(RECOVERED))
    guess(toy, world.admin)
    assert sign_in(toy, email=world.admin.email, password=Secret(RECOVERED), device=device)


def test_the_last_administrator_whom_the_console_could_let_in_stays(world: World, toy: Deps) -> None:
    boss = sign_in(toy, email="anna", password=Secret("winter harbour")).session.user_id
    with world.store.write() as tx:
        found = tx.users.find(boss)
        assert found
        tx.users.update(replace(found, is_admin=True))
    actor = Actor(Credential.SESSION, boss, sign_in(toy, email="anna", password=Secret("winter harbour")).session.id)
    for end in (
        lambda: change_user(toy, actor, world.admin.id, UserChanges(is_admin=False)),
        lambda: delete_user(toy, actor, world.admin.id),
    ):
        with pytest.raises(Conflict, match="let in; somebody has to stay"):
            end()
    assert is_needed_to_recover(toy, actor, world.admin.id)
    change_user(toy, actor, world.admin.id, UserChanges(is_disabled=True))
    recover_user(toy, world.admin.email, Secret(RECOVERED))
    assert lets_in(toy, world.admin, RECOVERED)
    change_user(toy, actor, world.maria.id, UserChanges(is_admin=True))
    delete_user(toy, actor, world.admin.id)
    assert is_needed_to_recover(toy, actor, world.maria.id)
    assert not is_needed_to_recover(world.deps, actor, world.maria.id)


def test_a_session_of_that_hour_lasts_as_any_other(world: World, off: Deps) -> None:
    recover_user(off, world.admin.email, Secret(RECOVERED))
    session = begin(off, world.admin, RECOVERED)
    for _ in range(35):
        world.clock.advance(minutes=20)
        assert find_session(off, session.handle)
    world.clock.advance(minutes=20)
    assert find_session(off, session.handle) is None


def test_only_what_the_console_set_counts_however_new_a_password_is(world: World, off: Deps) -> None:
    made = create_user(world.deps, acting(world.admin), email="ivan@example.com", password=Secret(PASSWORD)).user
    assert begin(world.deps, made)
    with pytest.raises(NotAuthenticated):
        begin(off, made)
    recover_user(off, made.email, Secret(RECOVERED))
    change_password(world.deps, knowing_password(off, made.id), current=Secret(RECOVERED), new=Secret(PASSWORD))
    with pytest.raises(NotAuthenticated):
        begin(off, made)


def test_a_renewed_hash_is_still_of_the_consoles_password(world: World, off: Deps) -> None:
    recover_user(off, world.admin.email, Secret(RECOVERED))
    world.hasher.generation = 2
    for _ in range(2):
        assert begin(off, world.admin, RECOVERED)


def test_the_first_administrator_of_a_new_installation_has_that_hour(world: World) -> None:
    off = replace(world.deps, local_sign_in=False)
    boss = create_user(off, CONSOLE, email="boss@example.com", password=Secret(PASSWORD), is_admin=True).user
    assert begin(off, boss)
    world.clock.advance(hours=1)
    with pytest.raises(NotAuthenticated):
        begin(off, boss)


@pytest.mark.parametrize(
    "setting",
    [
        lambda off, admin, maria: create_user(off, admin, email="new@example.com"),
        lambda off, admin, maria: create_user(off, admin, email="new@example.com", password=Secret(PASSWORD)),
        lambda off, admin, maria: issue_password_link(off, admin, maria.id),
        lambda off, admin, maria: change_password(off, admin, current=Secret(RECOVERED), new=Secret(PASSWORD)),
    ],
    ids=["add", "add with a password", "link", "change"],
)
def test_no_password_is_set_in_any_other_way(
    world: World, off: Deps, setting: Callable[[Deps, Actor, User], object]
) -> None:
    recover_user(off, world.admin.email, Secret(RECOVERED))
    with pytest.raises(Conflict, match=r"sign_in\.local is off"):
        setting(off, knowing_password(off, world.admin.id), world.maria)
    assert begin(off, world.admin, RECOVERED)


def test_a_one_time_link_from_before_sets_nothing(world: World, off: Deps) -> None:
    made = create_user(world.deps, acting(world.admin), email="new@example.com")
    assert made.link
    for use in (lambda: find_link_user(off, made.link), lambda: set_password(off, made.link, Secret(PASSWORD))):
        with pytest.raises(NotFound):
            use()
    assert find_passwordless(off, acting(world.admin), [made.user.id]) == frozenset()
    assert set_password(world.deps, made.link, Secret(PASSWORD))


def test_people_from_elsewhere_sign_in_as_ever(toy: Deps) -> None:
    typed = sign_in(toy, email="anna", password=Secret("winter harbour"))
    sent = sign_in_identity(toy, Finished(Identity("corp", "s-anna", "anna")))
    for each in (typed, sent):
        assert find_session(toy, each.handle)


def test_a_recovery_with_a_poor_password_changes_nothing(world: World, off: Deps) -> None:
    with pytest.raises(InvalidInput):
        recover_user(off, world.admin.email, Secret("short"))
    with pytest.raises(NotAuthenticated):
        begin(off, world.admin)
