"""People from identity providers: who is let in, who they become here, and who is never taken for another."""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gatepass.errors import Conflict, NotAllowed, NotAuthenticated, TooManyRequests, Unavailable
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.actor import CONSOLE, Actor, Credential
from gatepass.model.identity import Admission, Finished, Identity, Once
from gatepass.model.secret import Secret
from gatepass.model.token import CreatedToken
from gatepass.model.user import User
from gatepass.model.verdict import Accepted
from gatepass.services.change_password import change_password
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.check_password import check_password
from gatepass.services.create_token import create_token
from gatepass.services.delete_user import delete_user
from gatepass.services.issue_password_link import issue_password_link
from gatepass.services.may_generate import may_generate
from gatepass.services.prove_session import prove_session
from gatepass.services.recover_user import recover_user
from gatepass.services.sign_in import sign_in
from gatepass.services.sign_in_identity import sign_in_identity
from gatepass.testing.fakes import PASSWORD, START, acting
from services.conftest import World
from support.toy import Options, ToyProvider

ANNA = {
    "login": "anna",
    "password": "winter harbour",
    "groups": ["staff"],
    "email": "anna@example.com",
    "name": "Anna",
}


@dataclass
class Company:
    """A world with a directory, `corp`, whose people are `people`."""

    world: World
    file: Path

    def __post_init__(self) -> None:
        self.people = {"s-anna": dict(ANNA)}
        self.keep()
        self.rules()

    def keep(self) -> None:
        self.file.write_text(json.dumps(self.people))

    def rules(self, **fields: object) -> None:
        toy = ToyProvider(Options(people=str(self.file)), "corp", self.world.clock)
        configured = ConfiguredProvider(id="corp", name="Company", provider=toy, admission=Admission(**fields))
        self.deps = replace(self.world.deps, providers={"corp": configured})

    def change(self, subject: str = "s-anna", **fields: object) -> None:
        self.people.setdefault(subject, {}).update(fields)
        self.keep()

    def check(self, login: str = "anna", password: str = ANNA["password"], **fields: object) -> User:
        return check_password(self.deps, email=login, password=Secret(password), **fields).user

    def refused(self, login: str = "anna", password: str = ANNA["password"]) -> bool:
        try:
            self.check(login, password)
        except NotAuthenticated as error:
            return str(error) == "the credentials are missing or cannot be used"
        return False

    def last_reason(self) -> str | None:
        return self.world.events()[-1].details.get("reason")


@pytest.fixture
def company(world: World, tmp_path: Path) -> Company:
    return Company(world, tmp_path / "people.json")


def test_a_person_is_made_on_first_sign_in_and_found_again(company: Company) -> None:
    first, second = company.check(), company.check("ANNA ")
    assert first.id == second.id
    assert (first.provider, first.subject, first.email, first.name) == ("corp", "s-anna", "anna@example.com", "Anna")
    assert not first.is_admin
    made = [each for each in company.world.events() if each.action == "person.created"][-1]
    assert (made.subject_id, made.credential, made.details["provider"]) == (first.id, Credential.PROVIDER, "corp")


def test_the_key_is_the_subject_whatever_else_changes(company: Company) -> None:
    before = company.check()
    company.change(login="anna.b", email="anna.b@example.com", name="Anna B.")
    after = company.check("anna.b")
    assert (after.id, after.email, after.name) == (before.id, "anna.b@example.com", "Anna B.")


def test_a_login_that_is_somebody_elses_now_is_somebody_else(company: Company) -> None:
    before = company.check()
    company.people = {"s-other": {**ANNA, "email": "other@example.com"}}
    company.keep()
    assert company.check().id != before.id


def test_nobody_is_linked_by_an_address(company: Company) -> None:
    company.change(email="maria@example.com")
    assert company.refused()
    assert company.last_reason() == "name-taken"
    assert company.check("maria@example.com", PASSWORD).id == company.world.maria.id


@pytest.mark.parametrize("verified", [False, "true", 1, None])
def test_an_address_that_is_not_vouched_for_names_nobody(company: Company, verified: object) -> None:
    company.change(email="ceo@example.com", email_verified=verified)
    assert company.check().email == "anna@corp"


def test_somebody_who_was_not_added_is_refused_where_nobody_is_made(company: Company) -> None:
    company.rules(creates_users=False)
    assert company.refused()
    assert company.last_reason() == "not-added"


def test_a_deleted_person_comes_back_as_somebody_else(company: Company) -> None:
    before = company.check()
    company.world.allow_everybody()
    token = create_token(company.deps, acting_from(before), lifetime_seconds=60)
    delete_user(company.deps, acting(company.world.admin), before.id)
    assert company.check().id != before.id
    assert not works(company, token)


def works(company: Company, token: CreatedToken) -> bool:
    return isinstance(company.world.verifier.verify(token.value.reveal()), Accepted)


def acting_from(user: User) -> Actor:
    """Return the actor whose password the directory has just judged."""
    return Actor(Credential.PASSWORD, user.id)


def test_a_disabled_person_is_refused_although_the_password_is_right(company: Company) -> None:
    user = company.check()
    company.world.disable(user)
    assert company.refused()
    assert company.last_reason() == "disabled-here"


def test_an_actor_from_a_directory_is_refused_once_disabled(company: Company) -> None:
    user = company.check()
    company.world.allow_everybody()
    company.world.disable(user)
    with pytest.raises(NotAuthenticated):
        create_token(company.deps, acting_from(user), lifetime_seconds=60)


def test_a_local_actor_needs_the_password_that_is_set(company: Company) -> None:
    company.world.allow_everybody()
    with pytest.raises(NotAuthenticated):
        create_token(company.deps, acting_from(company.world.maria), lifetime_seconds=60)


def test_groups_make_administrators_and_unmake_them(company: Company) -> None:
    company.rules(admin_groups=frozenset({"admins"}))
    assert not company.check().is_admin
    company.change(groups=["staff", "admins"])
    assert company.check().is_admin
    session = sign_in(company.deps, email="anna", password=Secret(ANNA["password"]))
    company.change(groups=["staff"])
    assert not company.check().is_admin
    with company.world.store.read() as tx:
        assert tx.sessions.find_by_id(session.session.id) is None


def test_without_a_rule_administrators_are_made_here(company: Company) -> None:
    user = company.check()
    change_user(company.deps, acting(company.world.admin), user.id, UserChanges(is_admin=True))
    assert company.check().is_admin


def test_the_last_administrator_stays_one_when_the_groups_say_no(company: Company) -> None:
    company.rules(admin_groups=frozenset({"admins"}))
    company.change(groups=["admins"])
    user = company.check()
    change_user(company.deps, acting(company.world.admin), company.world.admin.id, UserChanges(is_disabled=True))
    company.change(groups=[])
    assert company.check().is_admin
    with company.world.store.read() as tx:
        assert tx.users.find(user.id).is_admin


@pytest.mark.parametrize(
    ("groups", "everybody", "allowed"),
    [(["makers"], False, True), (["makers"], True, True), (["staff"], True, False), (["staff"], False, False)],
)
def test_groups_decide_who_may_generate_whatever_the_settings_say(
    company: Company, groups: list[str], everybody: bool, allowed: bool
) -> None:
    company.rules(generate_groups=frozenset({"makers"}))
    company.world.change(**{"apiAccessTokens.usersMayGenerate": everybody})
    company.change(groups=groups)
    actor = acting_from(company.check())
    if allowed:
        assert create_token(company.deps, actor, lifetime_seconds=60)
    else:
        with pytest.raises(NotAllowed):
            create_token(company.deps, actor, lifetime_seconds=60)


def test_who_is_in_no_group_that_may_sign_in_is_not_made(company: Company) -> None:
    company.rules(sign_in_groups=frozenset({"allowed"}))
    assert company.refused()
    assert company.last_reason() == "lost-group"
    company.change(groups=["allowed"])
    assert company.check()


def test_who_lost_the_group_is_disabled_and_so_are_their_tokens(company: Company) -> None:
    company.rules(sign_in_groups=frozenset({"staff"}))
    company.world.allow_everybody()
    user = company.check()
    token = create_token(company.deps, acting_from(user), lifetime_seconds=60)
    assert works(company, token)
    company.change(groups=[])
    assert company.refused()
    assert not works(company, token)
    disabled = [each for each in company.world.events() if each.action == "person.disabled"][-1]
    assert disabled.details == {"provider": "corp", "reason": "lost-group"}


@pytest.mark.parametrize(("setting", "back"), [(False, False), (True, True)])
def test_coming_back_enables_only_where_the_site_says_so(company: Company, setting: bool, back: bool) -> None:
    company.rules(sign_in_groups=frozenset({"staff"}), enables_returning=setting)
    company.check()
    company.change(groups=[])
    assert company.refused()
    company.change(groups=["staff"])
    assert company.refused() is not back


def test_coming_back_never_enables_whom_an_administrator_disabled(company: Company) -> None:
    company.rules(sign_in_groups=frozenset({"staff"}), enables_returning=True)
    user = company.check()
    company.change(groups=[])
    assert company.refused()
    company.world.disable(user)
    company.change(groups=["staff"])
    assert company.refused()


@pytest.mark.parametrize("login", ["maria@example.com", " maria@example.com", "Maria@Example.com\t"])
def test_the_password_of_a_local_user_is_told_to_no_directory(
    company: Company, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    told = []
    toy = company.deps.providers["corp"].provider
    monkeypatch.setattr(ToyProvider, "resolve", lambda self, login: told.append(login) or None)
    monkeypatch.setattr(
        ToyProvider, "check", lambda self, account, password: told.append(password.reveal()) or toy.read("")
    )
    for password in (PASSWORD, "wrong"):
        with suppress(NotAuthenticated):
            company.check(login, password)
    assert told
    assert not {PASSWORD, "wrong", login, login.strip()} & set(told)


def test_every_failure_asks_the_directory_once_and_hashes_once(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    check = ToyProvider.check
    monkeypatch.setattr(ToyProvider, "check", lambda self, *args: asked.append(args[0]) or check(self, *args))
    for login in ("maria@example.com", "nobody", "anna", "nobody@example.com"):
        before = company.world.hasher.verified
        asked.clear()
        assert company.refused(login, "wrong")
        assert (len(asked), company.world.hasher.verified - before) == (1, 1)


def test_an_outage_is_never_a_wrong_password(company: Company) -> None:
    company.file.unlink()
    for login in ("anna", "nobody", "maria@example.com"):
        with pytest.raises(Unavailable):
            company.check(login, "wrong")
    assert company.check("maria@example.com", PASSWORD).id == company.world.maria.id


def test_guesses_during_an_outage_count_all_the_same(company: Company) -> None:
    company.file.unlink()
    for login in ("anna", "nobody", "maria@example.com"):
        for _ in range(5):
            with pytest.raises(Unavailable):
                company.check(login, "wrong")
        with pytest.raises(TooManyRequests):
            company.check(login, "wrong")


@pytest.mark.parametrize("name", ["anna", "nobody"])
def test_spellings_of_a_name_share_one_counter_whether_it_exists_or_not(company: Company, name: str) -> None:
    spellings = [name, name.upper(), f" {name} ", f"CORP\\{name}", f"{name}@corp.example.com"]
    for each in spellings:
        assert company.refused(each, "wrong")
    for each in (name, f"{name}@elsewhere.example", "".join(chr(ord(letter) + 0xFEE0) for letter in name)):
        with pytest.raises(TooManyRequests):
            company.check(each, "wrong")


def test_two_names_of_one_account_share_its_counter(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyProvider, "resolve", lambda self, login: "s-anna")
    for login in ("one", "two", "three", "four", "five"):
        assert company.refused(login, "wrong")
    with pytest.raises(TooManyRequests):
        company.check("six", "wrong")


def test_a_wrong_password_of_somebody_known_is_on_record_with_its_reason(company: Company) -> None:
    user = company.check()
    assert company.refused(password="wrong")
    record = company.world.events()[-1]
    assert (record.action, record.subject_id) == ("sign-in.refused", user.id)
    assert record.details == {"provider": "corp", "reason": "wrong-password", "name": "anna"}


def test_no_password_of_somebody_elsewhere_is_ever_kept_here(company: Company) -> None:
    user = company.check()
    with pytest.raises(Conflict):
        issue_password_link(company.deps, acting(company.world.admin), user.id)
    with pytest.raises(Conflict):
        recover_user(company.deps, user.email, Secret(PASSWORD))
    with pytest.raises(Conflict):
        change_password(company.deps, acting_from(user), current=Secret("x"), new=Secret(PASSWORD))
    with company.world.store.read() as tx:
        assert tx.users.find_password(user.id) is None


def test_a_session_remembers_its_provider_and_is_proven_there(company: Company) -> None:
    started = sign_in(company.deps, email="anna", password=Secret(ANNA["password"]))
    assert (started.session.provider, started.session.reference) == ("corp", "s-anna")
    actor = Actor(Credential.SESSION, started.session.user_id, started.session.id)
    with pytest.raises(NotAuthenticated):
        prove_session(company.deps, actor, Secret("wrong"))
    company.world.clock.advance(minutes=20)
    assert prove_session(company.deps, actor, Secret(ANNA["password"])).session.proven_at > started.session.proven_at


def identity_of(**fields: object) -> Identity:
    return Identity(**{"provider": "corp", "subject": "s-1", "login": "carol", **fields})


def test_a_sign_in_elsewhere_starts_a_session(company: Company) -> None:
    started = sign_in_identity(company.deps, Finished(identity_of(reference="sid-1")))
    assert (started.session.provider, started.session.reference) == ("corp", "sid-1")
    last = company.world.events()[-1]
    assert (last.action, last.credential, last.details) == (
        "session.started",
        Credential.PROVIDER,
        {"provider": "corp"},
    )


def test_what_counts_once_is_taken_once_and_for_each_provider(company: Company) -> None:
    finished = Finished(identity_of(), (Once("assertion-1", START.replace(year=2030)),))
    assert sign_in_identity(company.deps, finished)
    with pytest.raises(NotAuthenticated):
        sign_in_identity(company.deps, finished)
    assert company.last_reason() == "replayed"


def test_an_identity_of_a_provider_that_is_not_configured_is_nobodys(company: Company) -> None:
    with pytest.raises(NotAuthenticated):
        sign_in_identity(company.deps, Finished(identity_of(provider="other")))


def test_somebody_with_a_password_elsewhere_types_it_again(company: Company) -> None:
    actor = Actor(Credential.PASSWORD, company.check().id)
    assert may_generate(company.deps, actor).elsewhere is None


def test_a_person_from_a_provider_is_changed_as_others_are(company: Company) -> None:
    user = company.check()
    change_user(company.deps, CONSOLE, user.id, UserChanges(is_disabled=True))
    change_user(company.deps, CONSOLE, user.id, UserChanges(is_disabled=False))
    assert company.check().id == user.id
