"""Moving an account to a provider: both are proven, nobody is given anybody else's, and one who administers stays."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from gatepass.errors import Conflict, NotAllowed, NotAuthenticated, NotFound, TooManyRequests
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.actor import Actor, Credential
from gatepass.model.identity import Admission, Finished, Identity, Once
from gatepass.model.secret import Secret, sha256
from gatepass.model.user import PasswordLink, User
from gatepass.model.verdict import Accepted
from gatepass.services.check_password import check_password
from gatepass.services.check_password_there import check_password_there
from gatepass.services.create_user import create_user
from gatepass.services.list_sessions import list_sessions
from gatepass.services.move_to_provider import move_to_provider
from gatepass.services.set_password import find_link_user
from gatepass.services.sign_in import sign_in
from gatepass.services.sign_in_identity import sign_in_identity
from gatepass.services.start_session import StartedSession
from gatepass.testing.fakes import PASSWORD, START, acting, add_person
from services.conftest import World
from support.toy import Options, ToyProvider

ANNA = Identity("corp", "s-anna", "anna", name="Anna", email="anna@example.com", email_verified=True)


@dataclass
class Site:
    """A world with a provider, `corp`."""

    world: World
    file: Path

    def __post_init__(self) -> None:
        self.file.write_text(json.dumps({"s-anna": {"login": "anna", "password": "winter harbour"}}))
        self.rules()

    def rules(self, **fields: object) -> None:
        toy = ToyProvider(Options(people=str(self.file)), "corp", self.world.clock)
        configured = ConfiguredProvider(id="corp", name="Company", provider=toy, admission=Admission(**fields))
        self.deps = replace(self.world.deps, providers={"corp": configured})

    def move(self, user: User, identity: Identity = ANNA, *once: Once) -> StartedSession:
        return move_to_provider(self.deps, self.world.session_actor(user), Finished(identity, once))

    def now(self, user: User) -> User:
        with self.world.store.read() as tx:
            found = tx.users.find(user.id)
        assert found
        return found

    def has_password(self, user: User) -> bool:
        try:
            check_password(self.deps, email=user.email, password=Secret(PASSWORD))
        except NotAuthenticated:
            return False
        return True

    def last(self, action: str) -> dict[str, object]:
        return dict([each for each in self.world.events() if each.action == action][-1].details)


@pytest.fixture
def site(world: World, tmp_path: Path) -> Site:
    return Site(world, tmp_path / "people.json")


@pytest.fixture
def unmoved(site: Site, world: World) -> Iterator[None]:
    """Maria is who she was when the test is over."""
    yield
    assert site.now(world.maria).is_local
    assert site.has_password(world.maria)


def test_whoever_proved_both_is_the_same_person_there_and_here_no_more(site: Site, world: World) -> None:
    world.allow_everybody()
    token = world.token(world.maria)
    started = site.move(world.maria)
    assert (started.session.user_id, started.session.provider) == (world.maria.id, "corp")
    again = sign_in_identity(site.deps, Finished(ANNA))
    assert again.session.user_id == world.maria.id
    assert not site.has_password(world.maria)
    assert isinstance(world.verifier.verify(token.value.reveal()), Accepted)
    found = site.now(world.maria)
    assert (found.provider, found.subject, found.email, found.name) == ("corp", "s-anna", "anna@example.com", "Anna")
    assert site.last("person.moved") == {"provider": "corp", "name": "anna"}


def test_a_plain_sign_in_there_moves_nobody(site: Site, world: World) -> None:
    started = sign_in_identity(site.deps, Finished(replace(ANNA, email="other@example.com")))
    assert started.session.user_id != world.maria.id
    assert site.now(world.maria).is_local


def test_every_session_from_before_ends_and_there_is_a_new_one(site: Site, world: World) -> None:
    world.session(world.maria)
    mover = world.session_actor(world.maria)
    started = move_to_provider(site.deps, mover, Finished(ANNA))
    actor = Actor(Credential.SESSION, world.maria.id, started.session.id)
    assert [each.id for each in list_sessions(site.deps, actor)] == [started.session.id]


def test_no_browser_is_remembered_for_the_password_that_is_gone(site: Site, world: World) -> None:
    sign_in(site.deps, email=world.maria.email, password=Secret(PASSWORD))
    site.move(world.maria)
    with world.store.read() as tx:
        assert tx.devices.list(world.maria.id) == []


@pytest.mark.usefixtures("unmoved")
def test_a_sign_in_of_long_ago_is_no_proof(site: Site, world: World) -> None:
    mover = world.session_actor(world.maria)
    world.clock.advance(minutes=15)
    with pytest.raises(NotAllowed):
        move_to_provider(site.deps, mover, Finished(ANNA))


@pytest.mark.usefixtures("unmoved")
def test_a_token_is_no_proof(site: Site, world: World) -> None:
    world.allow_everybody()
    with pytest.raises(NotAllowed):
        move_to_provider(site.deps, world.token_actor(world.maria), Finished(ANNA))


def test_somebody_disabled_meanwhile_moves_nowhere(site: Site, world: World) -> None:
    mover = world.session_actor(world.maria)
    world.disable(world.maria)
    with pytest.raises(NotAuthenticated):
        move_to_provider(site.deps, mover, Finished(ANNA))
    assert site.now(world.maria).is_local


@pytest.mark.usefixtures("unmoved")
def test_what_a_provider_said_counts_once(site: Site, world: World) -> None:
    once = Once("answer", START + timedelta(minutes=10))
    site.move(world.bob, ANNA, once)
    with pytest.raises(Conflict, match="used before"):
        site.move(world.maria, replace(ANNA, subject="s-other"), once)
    assert site.last("sign-in.refused") == {"provider": "corp", "reason": "replayed", "name": "anna"}


@pytest.mark.usefixtures("unmoved")
def test_an_account_that_exists_is_neither_taken_nor_merged(site: Site, world: World) -> None:
    holder = sign_in_identity(site.deps, Finished(ANNA)).session.user_id
    with pytest.raises(Conflict, match="has an account here already"):
        site.move(world.maria)
    assert sign_in_identity(site.deps, Finished(ANNA)).session.user_id == holder
    assert site.last("sign-in.refused")["reason"] == "here-already"


@pytest.mark.usefixtures("unmoved")
def test_who_is_in_no_group_that_may_sign_in_stays(site: Site, world: World) -> None:
    site.rules(sign_in_groups=frozenset({"staff"}))
    with pytest.raises(Conflict, match="none of the groups"):
        site.move(world.maria)
    assert site.now(world.maria).is_live


@pytest.mark.parametrize("subject", ["", "x" * 256, "a\nb"])
@pytest.mark.usefixtures("unmoved")
def test_a_subject_that_cannot_be_kept_is_nobodys(site: Site, world: World, subject: str) -> None:
    with pytest.raises(Conflict):
        site.move(world.maria, replace(ANNA, subject=subject))


def test_rights_go_by_the_groups_there(site: Site, world: World) -> None:
    site.rules(admin_groups=frozenset({"heads"}), generate_groups=frozenset({"makers"}))
    site.move(world.maria, replace(ANNA, groups=frozenset({"heads"})))
    found = site.now(world.maria)
    assert (found.is_admin, found.may_generate) == (True, False)


def test_a_name_that_somebody_else_has_is_not_taken_along(site: Site, world: World) -> None:
    site.move(world.maria, replace(ANNA, email=world.bob.email))
    assert site.now(world.maria).email == world.maria.email


def test_who_was_moved_is_not_moved_again(site: Site, world: World) -> None:
    started = site.move(world.maria)
    actor = Actor(Credential.SESSION, world.maria.id, started.session.id)
    with pytest.raises(Conflict, match="signs in elsewhere"):
        move_to_provider(site.deps, actor, Finished(replace(ANNA, subject="s-other")))


def test_the_last_administrator_with_a_password_keeps_it(site: Site, world: World) -> None:
    for number in range(3):  # none of them would get in
        other = add_person(world.deps, f"other{number}@example.com", is_admin=True)
        if number == 0:
            world.disable(other)
        elif number == 1:
            site.move(other, replace(ANNA, subject=f"s-{number}", email=None, login="other"))
        else:
            with world.store.write() as tx:
                tx.users.set_password(other.id, None)
    with pytest.raises(Conflict, match="last administrator with a password"):
        site.move(world.admin)
    add_person(world.deps, "another@example.com", is_admin=True)
    assert site.move(world.admin).session.user_id == world.admin.id


def test_of_many_administrators_each_is_looked_at(site: Site, world: World) -> None:
    for number in range(101):
        create_user(world.deps, acting(world.admin), email=f"a{number}@example.com", is_admin=True)
    with pytest.raises(Conflict, match="last administrator with a password"):
        site.move(world.admin)
    add_person(world.deps, "z@example.com", is_admin=True)
    site.move(world.admin)


def test_no_one_time_link_gives_a_password_back(site: Site, world: World) -> None:
    link = Secret("a link that was made before")
    with world.store.write() as tx:
        tx.users.add_link(PasswordLink(sha256(link.reveal()), world.maria.id, START + timedelta(hours=24)))
    assert find_link_user(site.deps, link).id == world.maria.id
    site.move(world.maria)
    with pytest.raises(NotFound):
        find_link_user(site.deps, link)


def test_the_password_there_names_somebody_and_lets_nobody_in(site: Site, world: World) -> None:
    actor = world.session_actor(world.maria)
    before = len(world.events())
    identity = check_password_there(site.deps, actor, "corp", login="ANNA", password=Secret("winter harbour"))
    assert identity.subject == "s-anna"
    assert len(world.events()) == before
    with world.store.read() as tx:
        assert tx.users.find_by_subject("corp", "s-anna") is None


def test_guessing_there_is_slowed_down_as_at_sign_in(site: Site, world: World) -> None:
    actor = world.session_actor(world.maria)
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            check_password_there(site.deps, actor, "corp", login="anna", password=Secret("wrong"))
    with pytest.raises(TooManyRequests):
        check_password_there(site.deps, actor, "corp", login="anna", password=Secret("winter harbour"))
