"""LDAP against a real Active Directory: Samba."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from gatepass.errors import Unavailable
from gatepass.identity import build_provider
from gatepass.identity.ldap import Options, group_key
from gatepass.identity.ldap.provider import DirectLdapProvider, LdapProvider
from gatepass.interfaces import PasswordProvider
from gatepass.model.identity import Identity, Refusal, Refused
from gatepass.model.secret import Secret
from gatepass.testing.fakes import FakeClock
from gatepass.testing.provider_suite import DirectoryProviderSuite, KnownPerson, PasswordProviderSuite
from support.certificates import make_certificate
from support.samba import BASE, DOMAIN, LOCKED_AFTER, REALM, SEARCHER, Samba, dn_of, password_of, person

pytestmark = pytest.mark.xdist_group("active directory")
IN_CHAIN = "1.2.840.113556.1.4.1941"


def keys(*names: str) -> frozenset[str]:
    return frozenset(group_key(dn_of(name)) for name in names)


GROUPS = keys("staff", "makers", "admins", "token users", "Domain Users") | {group_key(f"CN=Users,CN=Builtin,{BASE}")}


@pytest.fixture(scope="module")
def options(samba: Samba) -> Options:
    return Options(
        urls=(samba.urls[0],),
        flavour="ad",
        tls_ca=samba.authority,
        bind_dn=SEARCHER[0],
        bind_password=SEARCHER[1],
        base=BASE,
        domains=(DOMAIN,),
        connect_seconds=10,
        answer_seconds=20,
    )


def made(options: Options, **changes: object) -> LdapProvider:
    return build_provider("ldap", replace(options, **changes), provider_id="corp", clock=FakeClock())


def direct(options: Options, template: str) -> DirectLdapProvider:
    return made(options, bind_dn="", bind_password="", direct_bind=template)


@pytest.fixture(scope="module")
def provider(options: Options) -> LdapProvider:
    return made(options)


@pytest.fixture(scope="module", name="person")
def known_person(options: Options) -> KnownPerson:
    found = made(options).look_up("alice")
    assert isinstance(found, Identity)
    spellings = ("alice", "ALICE", " alice ", f"{DOMAIN}\\alice", "adex\\Alice", f"alice@{REALM}")
    return KnownPerson(spellings, password_of("alice"), found.subject, GROUPS)


@pytest.fixture(scope="module")
def absent_subject() -> str:
    return "00000000-0000-4000-8000-000000000000"


class TestPasswords(PasswordProviderSuite):
    pass


class TestDirectory(DirectoryProviderSuite):
    pass


class TestDirectBindWithTheUserPrincipalName(PasswordProviderSuite):
    @pytest.fixture
    def provider(self, options: Options) -> DirectLdapProvider:
        return direct(options, f"{{login}}@{REALM}")


class TestDirectBindWithTheDomainBeforeTheName(PasswordProviderSuite):
    @pytest.fixture
    def provider(self, options: Options) -> DirectLdapProvider:
        return direct(options, f"{DOMAIN}\\{{login}}")

    @pytest.fixture
    def person(self, person: KnownPerson) -> KnownPerson:
        return replace(person, spellings=person.spellings[:-1])


def check(provider: PasswordProvider, login: str, password: str | None = None) -> Identity | Refused:
    return provider.check(provider.resolve(login), Secret(password_of(login) if password is None else password))


def test_somebody_is_told_with_all_that_is_known(provider: LdapProvider) -> None:
    identity = check(provider, "alice")
    assert isinstance(identity, Identity)
    assert (identity.login, identity.name, identity.email) == ("alice", "Alice Person", "alice@example.org")
    assert str(UUID(identity.subject)) == identity.subject


def test_starttls_serves_as_well(options: Options, samba: Samba) -> None:
    assert isinstance(check(made(options, urls=(samba.urls[1],)), "alice"), Identity)


def test_a_certificate_of_a_stranger_is_refused(options: Options, samba: Samba, tmp_path: Path) -> None:
    stranger = make_certificate(tmp_path, "stranger", names=f"IP:{samba.address}")
    with pytest.raises(Unavailable, match="certificate verify failed"):
        made(options, tls_ca=str(stranger.cert)).resolve("alice")


def test_a_principal_name_of_another_domain_is_found_and_let_in(provider: LdapProvider) -> None:
    identity = check(provider, "somebody.else@corp.example.org", password_of("renamed"))
    assert isinstance(identity, Identity)
    assert identity.login == "renamed"


def test_a_password_of_other_letters_is_let_in(provider: LdapProvider) -> None:
    assert isinstance(check(provider, "jürgen"), Identity)
    assert isinstance(check(provider, "jürgen", password_of("jürgen").replace("ü", "u")), Refused)


def test_a_dn_with_special_characters_is_found_bound_and_read(provider: LdapProvider) -> None:
    identity = check(provider, "comma")
    assert isinstance(identity, Identity)
    assert identity.groups >= keys("staff", "admins")


@pytest.mark.parametrize("template", [f"{{login}}@{REALM}", f"{DOMAIN}\\{{login}}"])
def test_another_domain_is_nobodys(provider: LdapProvider, options: Options, template: str) -> None:
    for each in (provider, direct(options, template)):
        assert each.resolve("OTHER\\alice") is None
        assert each.resolve("alice\\bob") is None
        assert isinstance(check(each, "alice@other.example.org", password_of("alice")), Refused)


class TestGroups:
    def test_they_are_those_that_the_directory_finds_in_chain(self, provider: LdapProvider, samba: Samba) -> None:
        """All but the primary group, which has no members there, and lists for mail, which give no rights."""
        identity = provider.look_up("alice")
        found = {group_key(each) for each in samba.find(f"(member:{IN_CHAIN}:={dn_of('alice')})")}
        assert found == keys("staff", "makers", "admins", "token users", "letters")
        assert identity.groups == GROUPS

    def test_whose_own_list_is_hidden_is_asked_for_in_chain(self, provider: LdapProvider) -> None:
        for identity in (check(provider, "veiled"), provider.look_up("veiled")):
            assert isinstance(identity, Identity)
            assert identity.groups == GROUPS

    def test_whose_groups_cannot_be_known_is_not_taken_for_somebody_without_any(self, provider: LdapProvider) -> None:
        with pytest.raises(Unavailable, match="does not show the groups"):
            check(provider, "masked")

    def test_those_within_groups_can_be_left_out(self, options: Options) -> None:
        identity = made(options, nested_groups=False).look_up("alice")
        assert isinstance(identity, Identity)
        assert identity.groups == keys("staff")

    def test_a_filter_may_ask_in_chain(self, options: Options) -> None:
        wanted = f"(&(objectClass=user)(memberOf:{IN_CHAIN}:={dn_of('admins')}))"
        within = made(options, user_filter=wanted)
        assert isinstance(check(within, "alice"), Identity)
        assert check(within, "bob") == Refused(Refusal.UNKNOWN)


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ("disabled", Refusal.DISABLED),
        ("forced", Refusal.MUST_CHANGE),
        ("ended", Refusal.EXPIRED),
        ("stale", Refusal.PASSWORD_EXPIRED),
    ],
)
@pytest.mark.parametrize("template", ["", f"{{login}}@{REALM}", f"{DOMAIN}\\{{login}}"])
def test_the_state_of_an_account_is_told(options: Options, login: str, reason: Refusal, template: str) -> None:
    told = check(direct(options, template) if template else made(options), login)
    assert isinstance(told, Refused)
    assert (told.reason, told.login) == (reason, login)


@pytest.mark.parametrize("login", ["bob", "nobody"])
def test_a_name_that_is_only_typed_is_told_nowhere(options: Options, login: str) -> None:
    told = check(direct(options, f"{{login}}@{REALM}"), login, "wrong")
    assert told == Refused(Refusal.WRONG_PASSWORD)


def test_too_many_wrong_passwords_lock_an_account_and_it_is_told(provider: LdapProvider, samba: Samba) -> None:
    samba.unlock("locked")
    told = [check(provider, "locked", "wrong") for _ in range(LOCKED_AFTER)]
    assert {each.reason for each in told} == {Refusal.WRONG_PASSWORD}
    assert check(provider, "locked").reason is Refusal.LOCKED
    assert isinstance(provider.look_up("locked"), Identity)


def test_a_wrong_password_says_nothing_of_the_state_of_an_account(provider: LdapProvider) -> None:
    told = {login: check(provider, login, "wrong") for login in ("disabled", "forced", "ended", "stale", "bob")}
    assert {each.reason for each in told.values()} == {Refusal.WRONG_PASSWORD}


def test_whose_password_must_be_changed_is_still_there_and_others_are_not(provider: LdapProvider) -> None:
    told = {login: provider.look_up(login) for login in ("forced", "stale", "disabled", "ended")}
    assert all(isinstance(told[login], Identity) for login in ("forced", "stale"))
    assert [told[login].reason for login in ("disabled", "ended")] == [Refusal.DISABLED, Refusal.EXPIRED]


def test_whose_state_is_hidden_is_not_taken_for_enabled(provider: LdapProvider) -> None:
    with pytest.raises(Unavailable, match="userAccountControl"):
        provider.look_up("shut")


def test_a_new_name_and_another_place_is_the_same_person(provider: LdapProvider, samba: Samba) -> None:
    samba.add(f"dn: OU=Moved,{BASE}\nobjectClass: organizationalUnit\n", person("mover"))
    before = provider.look_up("mover")
    samba.change(
        f"dn: {dn_of('mover')}\nchangetype: modrdn\nnewrdn: CN=moved\ndeleteoldrdn: 1\nnewsuperior: OU=Moved,{BASE}\n"
    )
    samba.set(f"CN=moved,OU=Moved,{BASE}", "sAMAccountName", "married")
    after = provider.read(before.subject)
    assert isinstance(after, Identity)
    assert (after.subject, after.login) == (before.subject, "married")
    assert isinstance(check(provider, "married", password_of("mover")), Identity)


def test_somebody_who_is_removed_is_gone(provider: LdapProvider, samba: Samba) -> None:
    samba.add(person("remover"))
    subject = provider.look_up("remover").subject
    assert isinstance(provider.read(subject), Identity)
    samba.remove(dn_of("remover"))
    assert provider.read(subject) == Refused(Refusal.GONE, subject)
