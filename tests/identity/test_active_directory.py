"""LDAP against a real Active Directory: Samba, where it is installed and its ports are free."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from gatepass.identity import build_provider
from gatepass.identity.ldap import Options, group_key
from gatepass.identity.ldap.provider import LdapProvider
from gatepass.model.identity import Identity, Refusal, Refused
from gatepass.model.secret import Secret
from gatepass.testing.fakes import FakeClock
from gatepass.testing.provider_suite import DirectoryProviderSuite, KnownPerson, PasswordProviderSuite
from support.samba import BASE, SEARCHER, Samba, is_free, is_installed, password_of, running_samba

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not is_installed(), reason="Samba is not installed: apt-get install samba-ad-dc samba-ad-provision"
    ),
]
GROUPS = frozenset(group_key(f"CN={name},CN=Users,{BASE}") for name in ("staff", "makers", "admins", "Domain Users"))


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    if not is_free():
        pytest.skip("somebody else has port 389 or 636")
    yield from running_samba()


@pytest.fixture(scope="module")
def options(samba: Samba) -> Options:
    return Options(
        urls=("ldaps://127.0.0.1",),
        flavour="ad",
        tls_ca=samba.authority,
        bind_dn=SEARCHER[0],
        bind_password=SEARCHER[1],
        base=BASE,
        domains=("ADEX",),
    )


def made(options: Options, **changes: object):
    return build_provider("ldap", replace(options, **changes), provider_id="corp", clock=FakeClock())


@pytest.fixture(scope="module")
def provider(options: Options) -> LdapProvider:
    return made(options)


@pytest.fixture(scope="module")
def person(provider: LdapProvider) -> KnownPerson:
    found = provider.look_up("alice")
    assert isinstance(found, Identity)
    spellings = ("alice", "ALICE", " alice ", "ADEX\\alice", "alice@ad.example.org")
    return KnownPerson(spellings, password_of("alice"), found.subject, GROUPS)


@pytest.fixture(scope="module")
def absent_subject() -> str:
    return "00000000-0000-4000-8000-000000000000"


class TestPasswords(PasswordProviderSuite):
    pass


class TestDirectory(DirectoryProviderSuite):
    pass


class TestDirectBind(PasswordProviderSuite):
    @pytest.fixture
    def provider(self, options: Options):
        return made(options, bind_dn="", bind_password="", direct_bind="{login}@ad.example.org")


def test_the_subject_is_the_guid(person: KnownPerson) -> None:
    assert str(UUID(person.subject)) == person.subject


@pytest.mark.parametrize(
    ("name", "reason"),
    [("disabled", Refusal.DISABLED), ("forced", Refusal.MUST_CHANGE), ("expired", Refusal.EXPIRED)],
)
def test_the_state_of_an_account_is_told(provider: LdapProvider, name: str, reason: Refusal) -> None:
    told = provider.check(provider.resolve(name), Secret(password_of(name)))
    assert isinstance(told, Refused)
    assert told.reason is reason


def test_whose_password_must_be_changed_is_still_there_and_others_are_not(provider: LdapProvider) -> None:
    told = {name: provider.look_up(name) for name in ("forced", "disabled", "expired")}
    assert isinstance(told["forced"], Identity)
    assert [told[name].reason for name in ("disabled", "expired")] == [Refusal.DISABLED, Refusal.EXPIRED]


def test_another_domain_is_nobodys(provider: LdapProvider, options: Options) -> None:
    assert provider.resolve("OTHER\\alice") is None
    direct = made(options, bind_dn="", bind_password="", direct_bind="{login}@ad.example.org")
    assert direct.resolve("alice@other.example.org") is None
    assert direct.resolve("alice\\bob") is None


def test_somebody_who_is_removed_is_gone(provider: LdapProvider, samba: Samba) -> None:
    samba.tool("user", "create", "leaver", password_of("leaver"))
    subject = provider.look_up("leaver").subject
    assert isinstance(provider.read(subject), Identity)
    samba.tool("user", "delete", "leaver")
    assert provider.read(subject) == Refused(Refusal.GONE, subject)
