"""What every identity provider must pass: subclass the classes of what it can do.

`PasswordProviderSuite` and `DirectoryProviderSuite` take fixtures:

- `provider`: the provider, ready, knowing a person, and somebody who is disabled or gone there;
- `person`: a `KnownPerson`;
- `absent_subject`: the subject of the other one, who once was there.

`RedirectProviderSuite` takes `provider` and `answers`, which plays the provider's side (`Answers`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pytest

from gatepass.interfaces import DirectoryProvider, IdentityProvider, PasswordProvider, RedirectProvider
from gatepass.model.identity import Begun, Finished, Identity, Refusal, Refused, check_subject, user_name_of
from gatepass.model.secret import Secret

CALLBACK = "https://tokens.example.com/sign-in/corp/callback"
HOSTILE_LOGINS = (
    "",
    " ",
    "*",
    "a*",
    "(",
    ")",
    "*)(uid=*",
    "*)(|(uid=*))",
    "\\2a",
    "\\",
    "a\\00b",
    "\0",
    "nobody\0",
    ",dc=example,dc=org",
    "nobody,ou=people",
    "+",
    "#",
    "\ud800",
    "x" * 10_000,
    "' OR '1'='1",
)
"""Names that are nobody's, whatever a provider makes of them."""
NO_PASSWORDS = ("", "\0", "\0x", "x\0", "x" * 100_000, "\ud800")
"""What no password can be; some servers take the first ones for a bind without any."""


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody whom the provider knows."""

    spellings: tuple[str, ...]
    """Names that are theirs; the first is the usual one."""
    password: str
    subject: str
    groups: frozenset[str]
    """Groups they are in, directly or not; all of them must be told."""


def check_identity(identity: Identity) -> None:
    """Assert what holds for every identity."""
    assert check_subject(identity.subject) == identity.subject
    assert user_name_of(identity)
    assert identity.email_verified in {True, False}
    assert type(identity.email_verified) is bool
    assert all(group and group.isprintable() for group in identity.groups)


class PasswordProviderSuite:
    """Give fixtures `provider` and `person`."""

    def test_it_says_what_it_can_do(self, provider: PasswordProvider) -> None:
        assert isinstance(provider, IdentityProvider)
        assert isinstance(provider, PasswordProvider)

    def test_the_right_password_is_the_persons(self, provider: PasswordProvider, person: KnownPerson) -> None:
        identity = provider.check(provider.resolve(person.spellings[0]), Secret(person.password))
        assert isinstance(identity, Identity)
        check_identity(identity)
        assert identity.subject == person.subject
        assert identity.groups >= person.groups

    def test_all_spellings_are_one_account(self, provider: PasswordProvider, person: KnownPerson) -> None:
        accounts = {provider.resolve(each) for each in person.spellings}
        assert len(accounts) == 1
        assert None not in accounts

    @pytest.mark.parametrize("change", ["wrong", "upper", "longer", "shorter"])
    def test_another_password_is_refused(self, provider: PasswordProvider, person: KnownPerson, change: str) -> None:
        right = person.password
        wrong = {"wrong": "not this", "upper": right.upper(), "longer": right + "x", "shorter": right[:-1]}[change]
        assert isinstance(provider.check(provider.resolve(person.spellings[0]), Secret(wrong)), Refused)

    @pytest.mark.parametrize("password", NO_PASSWORDS, ids=repr)
    def test_what_is_no_password_is_refused(
        self, provider: PasswordProvider, person: KnownPerson, password: str
    ) -> None:
        for account in (provider.resolve(person.spellings[0]), None):
            assert isinstance(provider.check(account, Secret(password)), Refused)

    @pytest.mark.parametrize("login", HOSTILE_LOGINS, ids=lambda each: ascii(each)[:30])
    def test_a_hostile_name_is_nobodys(self, provider: PasswordProvider, person: KnownPerson, login: str) -> None:
        account = provider.resolve(login)
        assert account is None or account != provider.resolve(person.spellings[0])
        assert isinstance(provider.check(account, Secret(person.password)), Refused)

    def test_nobodys_account_is_refused_as_unknown(self, provider: PasswordProvider, person: KnownPerson) -> None:
        refused = provider.check(None, Secret(person.password))
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.UNKNOWN
        assert refused.subject is None


class DirectoryProviderSuite:
    """Give fixtures `provider`, `person` and `absent_subject`."""

    def test_somebody_is_read_as_they_are(self, provider: DirectoryProvider, person: KnownPerson) -> None:
        assert isinstance(provider, DirectoryProvider)
        identity = provider.read(person.subject)
        assert isinstance(identity, Identity)
        check_identity(identity)
        assert identity.subject == person.subject
        assert identity.groups >= person.groups

    def test_somebody_who_is_gone_is_refused(self, provider: DirectoryProvider, absent_subject: str) -> None:
        assert isinstance(provider.read(absent_subject), Refused)

    @pytest.mark.parametrize("subject", HOSTILE_LOGINS, ids=lambda each: ascii(each)[:30])
    def test_a_hostile_subject_is_nobodys(self, provider: DirectoryProvider, subject: str) -> None:
        assert isinstance(provider.read(subject), Refused)


class Answers(Protocol):
    """The provider's side of a sign-in elsewhere, as a test plays it."""

    subject: str
    """Who signs in there."""

    def to(self, begun: Begun) -> Mapping[str, str]:
        """Sign in there, and return the fields that the browser brings back."""
        ...


class RedirectProviderSuite:
    """Give fixtures `provider` and `answers`."""

    def test_it_says_what_it_can_do(self, provider: RedirectProvider) -> None:
        assert isinstance(provider, IdentityProvider)
        assert isinstance(provider, RedirectProvider)

    def test_the_browser_is_sent_to_an_address_of_the_web(self, provider: RedirectProvider) -> None:
        begun = provider.begin(CALLBACK)
        assert begun.url.startswith(("https://", "http://"))
        assert begun.kept

    def test_an_answer_is_read(self, provider: RedirectProvider, answers: Answers) -> None:
        begun = provider.begin(CALLBACK)
        finished = provider.finish(answers.to(begun), begun.kept, CALLBACK)
        assert isinstance(finished, Finished)
        check_identity(finished.identity)
        assert finished.identity.subject == answers.subject

    def test_an_answer_to_another_browser_is_refused(self, provider: RedirectProvider, answers: Answers) -> None:
        mine, theirs = provider.begin(CALLBACK), provider.begin(CALLBACK)
        assert mine.kept != theirs.kept
        assert isinstance(provider.finish(answers.to(theirs), mine.kept, CALLBACK), Refused)

    def test_an_answer_that_was_not_asked_for_is_refused(self, provider: RedirectProvider, answers: Answers) -> None:
        answer = answers.to(provider.begin(CALLBACK))
        assert isinstance(provider.finish(answer, {}, CALLBACK), Refused)

    def test_an_answer_with_a_part_missing_or_changed_is_refused(
        self, provider: RedirectProvider, answers: Answers
    ) -> None:
        begun = provider.begin(CALLBACK)
        answer = dict(answers.to(begun))
        for name in answer:
            assert isinstance(provider.finish({**answer, name: answer[name][:-1]}, begun.kept, CALLBACK), Refused), name
            without = {each: value for each, value in answer.items() if each != name}
            assert isinstance(provider.finish(without, begun.kept, CALLBACK), Refused), name
        assert isinstance(provider.finish({}, begun.kept, CALLBACK), Refused)
