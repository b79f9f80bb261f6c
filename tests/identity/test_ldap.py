"""LDAP against a real OpenLDAP server that would take a name without a password for a success."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.identity import build_provider
from gatepass.identity.ldap import Options, group_key
from gatepass.identity.ldap.connections import Session
from gatepass.identity.ldap.provider import LdapProvider
from gatepass.interfaces import DirectoryProvider
from gatepass.model.identity import Identity, Refusal, Refused
from gatepass.model.secret import Secret
from gatepass.testing.fakes import FakeClock
from gatepass.testing.provider_suite import DirectoryProviderSuite, KnownPerson, PasswordProviderSuite
from support.certificates import make_certificate
from support.slapd import (
    BASE,
    PEOPLE,
    SEARCHER,
    Slapd,
    dn_of,
    free_port,
    group_dn,
    running_slapd,
)


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    yield from running_slapd()


@pytest.fixture(scope="module")
def options(slapd: Slapd) -> Options:
    return Options(
        urls=(slapd.urls[0],),
        tls_ca=slapd.authority,
        bind_dn=SEARCHER[0],
        bind_password=SEARCHER[1],
        base=BASE,
        domains=("CORP",),
        connect_seconds=2,
        answer_seconds=2,
    )


def made(options: Options, **changes: object) -> LdapProvider:
    return build_provider("ldap", replace(options, **changes), provider_id="corp", clock=FakeClock())


@pytest.fixture(scope="module")
def provider(options: Options) -> LdapProvider:
    return made(options)


@pytest.fixture(scope="module")
def person(slapd: Slapd) -> KnownPerson:
    groups = frozenset(group_key(group_dn(name)) for name in ("staff", "makers", "admins", "loop", "again"))
    spellings = ("alice", "ALICE", " alice ", "CORP\\alice", "corp\\Alice")
    return KnownPerson(spellings, "alice password", slapd.uuid_of(dn_of("alice")), groups)


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
        return made(options, bind_dn="", bind_password="", direct_bind=f"uid={{login}},{PEOPLE}")

    def test_it_cannot_be_asked_about_people_who_are_not_there(self, provider: object) -> None:
        assert not isinstance(provider, DirectoryProvider)


def check(provider: LdapProvider, login: str, password: str | None = None) -> Identity | Refused:
    return provider.check(provider.resolve(login), Secret(f"{login} password" if password is None else password))


def test_somebody_is_told_with_all_that_is_known(provider: LdapProvider, slapd: Slapd) -> None:
    identity = check(provider, "alice")
    assert isinstance(identity, Identity)
    assert (identity.provider, identity.login, identity.name) == ("corp", "alice", "Alice Person")
    assert (identity.email, identity.email_verified) == ("alice@example.org", False)
    assert identity.subject == slapd.uuid_of(dn_of("alice"))


def test_an_address_names_people_only_where_the_directory_is_trusted_with_it(options: Options) -> None:
    identity = check(made(options, trust_email=True), "alice")
    assert isinstance(identity, Identity)
    assert identity.email_verified is True


def test_starttls_serves_as_well(options: Options, slapd: Slapd) -> None:
    assert isinstance(check(made(options, urls=(slapd.urls[1],)), "alice"), Identity)


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ("locked", Refusal.LOCKED),
        ("forced", Refusal.MUST_CHANGE),
        ("stale", Refusal.PASSWORD_EXPIRED),
        ("ended", Refusal.EXPIRED),
    ],
)
def test_the_state_of_an_account_is_told_with_its_subject(
    provider: LdapProvider, slapd: Slapd, login: str, reason: Refusal
) -> None:
    assert check(provider, login) == Refused(reason, slapd.uuid_of(dn_of(login)), login)


def test_a_wrong_password_says_whose_it_was_not(provider: LdapProvider, slapd: Slapd) -> None:
    assert check(provider, "bob", "x") == Refused(Refusal.WRONG_PASSWORD, slapd.uuid_of(dn_of("bob")), "bob")


def test_whoever_is_locked_or_ended_is_read_as_that(provider: LdapProvider, slapd: Slapd) -> None:
    for login, reason in (("locked", Refusal.DISABLED), ("ended", Refusal.EXPIRED)):
        told = provider.read(slapd.uuid_of(dn_of(login)))
        assert isinstance(told, Refused)
        assert told.reason is reason


def test_whose_password_has_to_be_changed_is_still_there(provider: LdapProvider, slapd: Slapd) -> None:
    for login in ("forced", "stale"):
        assert isinstance(provider.read(slapd.uuid_of(dn_of(login))), Identity)


def test_a_name_that_two_have_is_nobodys(provider: LdapProvider) -> None:
    assert provider.resolve("twin") is None
    assert isinstance(check(provider, "twin"), Refused)


def test_a_dn_with_special_characters_is_found_bound_and_read(options: Options) -> None:
    by_address = made(options, login_attributes=("mail",))
    identity = check(by_address, "comma@example.org", "comma password")
    assert isinstance(identity, Identity)
    assert group_key(group_dn("staff")) in identity.groups


def test_somebody_outside_of_the_base_is_nobody(options: Options) -> None:
    within = made(options, base=f"ou=other,{BASE}", group_base=BASE)
    assert within.resolve("alice") is None


def test_what_is_no_person_is_nobody(provider: LdapProvider) -> None:
    assert isinstance(provider.check(SEARCHER[0], Secret(SEARCHER[1])), Refused)


def test_groups_within_groups_can_be_left_out(options: Options) -> None:
    identity = check(made(options, nested_groups=False), "alice")
    assert isinstance(identity, Identity)
    assert identity.groups == {group_key(group_dn("staff"))}


def test_the_walk_through_groups_is_bounded(provider: LdapProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = check(provider, "bob")
    assert isinstance(identity, Identity)
    assert {each for each in identity.groups if each.startswith("cn=deep")} == {
        group_key(group_dn(f"deep{level}")) for level in range(10)
    }
    monkeypatch.setattr("gatepass.identity.ldap.groups.MOST_GROUPS", 1)
    with pytest.raises(Unavailable, match="more than 1"):
        check(provider, "bob")


def test_referrals_are_not_followed(options: Options) -> None:
    assert isinstance(check(made(options, group_base=BASE), "alice"), Identity)
    with pytest.raises(Unavailable):
        made(options, base=f"ou=elsewhere,{BASE}").resolve("alice")


def test_the_server_takes_a_name_without_a_password_for_a_success(slapd: Slapd) -> None:
    """Or the next test would prove nothing."""
    done = subprocess.run(
        ["ldapwhoami", "-x", "-H", f"ldap://127.0.0.1:{slapd.port}", "-D", dn_of("alice"), "-w", ""],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "anonymous")


@pytest.mark.parametrize("password", ["", "\0", "\0alice password", "alice password\0", "x" * 2000], ids=repr)
def test_what_is_no_password_never_reaches_the_server(
    provider: LdapProvider, slapd: Slapd, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, bytes]] = []
    bind = Session.bind
    monkeypatch.setattr(
        Session, "bind", lambda self, name, given: sent.append((name, given)) or bind(self, name, given)
    )
    before = slapd.binds_of(dn_of("alice"))
    assert isinstance(check(provider, "alice", password), Refused)
    assert slapd.binds_of(dn_of("alice")) == before
    assert sent
    assert all(given and b"\0" not in given and b"alice password" not in given for _, given in sent)


@pytest.mark.parametrize(("name", "password"), [("", b"x"), (dn_of("alice"), b""), (dn_of("alice"), b"\0")])
def test_a_bind_without_a_name_or_a_password_cannot_be_sent(provider: LdapProvider, name: str, password: bytes) -> None:
    with provider.servers.open() as session, pytest.raises(ValueError, match="needs a name and a password"):
        session.bind(name, password)


SPECIALS = st.text(
    st.sampled_from('*()\\\0&|!=<>~:,+"#; alice') | st.characters(codec="utf-8"), min_size=1, max_size=30
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SPECIALS)
def test_nothing_typed_finds_anybody_but_who_has_that_name(provider: LdapProvider, login: str) -> None:
    found = provider.resolve(login)
    assert found is None or " ".join(login.split()).casefold() in {"alice", "bob"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SPECIALS)
def test_nothing_typed_binds_as_anybody_else(options: Options, login: str) -> None:
    direct = made(options, bind_dn="", bind_password="", direct_bind=f"uid={{login}},{PEOPLE}")
    account = direct.resolve(login)
    assert account is None or account.endswith("," + group_key(PEOPLE))
    assert account is None or account.count(",") == group_key(PEOPLE).count(",") + 1


class TestServers:
    def test_the_next_server_is_asked_if_one_is_away(self, options: Options, slapd: Slapd) -> None:
        provider = made(options, urls=(f"ldaps://127.0.0.1:{free_port()}", *slapd.urls))
        assert isinstance(check(provider, "alice"), Identity)

    def test_a_server_that_failed_is_avoided(self, options: Options, slapd: Slapd) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as silent:
            provider = made(
                options, urls=(f"ldaps://127.0.0.1:{silent.getsockname()[1]}", *slapd.urls), answer_seconds=1
            )
            assert isinstance(check(provider, "alice"), Identity)
            silent.settimeout(0.2)
            assert accepted(silent) == 1

    def test_no_server_at_all_is_an_outage(self, options: Options) -> None:
        provider = made(options, urls=(f"ldaps://127.0.0.1:{free_port()}", f"ldap://127.0.0.1:{free_port()}"))
        for ask in (
            lambda: provider.resolve("alice"),
            lambda: provider.read("00000000-0000-4000-8000-000000000000"),
            lambda: provider.check(None, Secret("x")),
        ):
            with pytest.raises(Unavailable):
                ask()

    def test_a_certificate_of_a_stranger_is_refused(self, options: Options, tmp_path: Path) -> None:
        stranger = make_certificate(tmp_path, "stranger", names="IP:127.0.0.1")
        with pytest.raises(Unavailable, match="certificate verify failed"):
            made(options, tls_ca=str(stranger.cert)).resolve("alice")

    @pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
    def test_a_certificate_for_another_name_is_refused(self, options: Options, slapd: Slapd, scheme: str) -> None:
        port = slapd.tls_port if scheme == "ldaps" else slapd.port
        with pytest.raises(Unavailable, match=r"certificate verify failed|mismatch"):
            made(options, urls=(f"{scheme}://localhost:{port}",)).resolve("alice")

    def test_without_verification_it_is_taken(self, options: Options, slapd: Slapd) -> None:
        provider = made(options, urls=(f"ldaps://localhost:{slapd.tls_port}",), tls_verify=False, tls_ca="")
        assert isinstance(check(provider, "alice"), Identity)

    def test_nothing_is_said_to_a_server_that_does_not_start_tls(self, options: Options) -> None:
        heard = bytearray()
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            listening = threading.Thread(target=_answer_protocol_error, args=(listener, heard))
            listening.start()
            provider = made(options, urls=(f"ldap://127.0.0.1:{listener.getsockname()[1]}",))
            with pytest.raises(Unavailable):
                check(provider, "alice")
            listening.join(timeout=10)
        assert b"1.3.6.1.4.1.1466.20037" in heard
        assert SEARCHER[0].encode() not in heard
        assert SEARCHER[1].encode() not in heard

    def test_a_searching_account_that_is_not_let_in_is_an_outage(self, options: Options) -> None:
        provider = made(options, bind_password="wrong")
        for ask in (provider.resolve, provider.read):
            with pytest.raises(Unavailable, match="searching account"):
                ask("00000000-0000-4000-8000-000000000000")


def accepted(listener: socket.socket) -> int:
    """Return how many connections wait there."""
    taken = 0
    with suppress(TimeoutError):
        while True:
            listener.accept()[0].close()
            taken += 1
    return taken


def _answer_protocol_error(listener: socket.socket, heard: bytearray) -> None:
    """Play a server, or somebody on the way, that strips StartTLS: extendedResp with protocolError, then listen."""
    connection, _ = listener.accept()
    connection.settimeout(1)
    with closing(connection):
        request = connection.recv(4096)
        heard += request
        number = request[4:5]
        connection.sendall(b"\x30\x0c\x02\x01" + number + b"\x78\x07\x0a\x01\x02\x04\x00\x04\x00")
        try:
            while more := connection.recv(4096):
                heard += more
        except TimeoutError:
            pass


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"urls": ()}, r"providers\.corp\.urls"),
        ({"urls": ("http://x",)}, r"providers\.corp\.urls"),
        ({"urls": ("ldaps://user@x",)}, r"providers\.corp\.urls"),
        ({"urls": ("ldaps://x/dc=x",)}, r"providers\.corp\.urls"),
        ({"flavour": "novell"}, r"flavour: must be openldap or ad"),
        ({"bind_dn": ""}, "bind_dn: must be given"),
        ({"direct_bind": "uid={login},dc=x"}, "bind_dn: must be given, or direct_bind"),
        ({"bind_password": ""}, "bind_password: must be given"),
        ({"bind_dn": "", "direct_bind": "uid=x"}, "direct_bind: must have"),
        ({"tls_ca": "/nowhere.pem"}, "tls_ca: .* is no file"),
        ({"base": "example.org"}, "base: must be like"),
        ({"user_filter": "objectClass=*"}, "user_filter: must stand in parentheses"),
        ({"user_filter": "((objectClass=*)"}, "user_filter: .* is no filter"),
        ({"login_attributes": ("uid)(x",)}, "is no name of an attribute"),
        ({"answer_seconds": 0}, "answer_seconds: must be 1 to"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options: Options, changes: dict[str, object], said: str) -> None:
    with pytest.raises(BadConfiguration, match=said):
        made(options, **changes)
