"""Identity providers: where people prove who they are. A provider has any of the capabilities below.

All of them block, are called from many threads at once, and raise Unavailable when the provider is out of
reach or answers nonsense: an outage is never a refusal. None of them knows the store. Times are the clock's
that the provider was built with. `gatepass.testing.provider_suite` is what each must pass.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from gatepass.model.identity import Admission, Begun, Carrier, Ended, Finished, Identity, Refused
from gatepass.model.secret import Secret


@runtime_checkable
class IdentityProvider(Protocol):
    """Anything that knows people."""

    def close(self) -> None:
        """Let go of everything held open."""
        ...


@runtime_checkable
class PasswordProvider(Protocol):
    """Checks passwords.

    `resolve` and `check` take the same steps for names that exist and names that do not, so that neither
    words nor work tell them apart.
    """

    def resolve(self, login: str) -> str | None:
        """Return which account a typed name stands for; None if it is none, or several.

        All spellings of one account give the same text, by which failures are counted. Whatever was
        typed is data: it can neither widen what is searched nor name a place.
        """
        ...

    def check(self, account: str | None, password: Secret) -> Identity | Refused:
        """Tell whose password this is; `account` is what `resolve` returned.

        With None it does the work of an account that exists, tells `password` to nobody, and refuses. An
        empty password, and one with U+0000, is refused and not sent: servers take it for no password at all.
        """
        ...


@runtime_checkable
class RedirectProvider(Protocol):
    """Sends the browser elsewhere, and reads what it comes back with."""

    def begin(self, callback: str) -> Begun:
        """Return where the browser goes, and what has to come back. `callback` is the address for the answer."""
        ...

    def finish(self, answer: Mapping[str, str], kept: Mapping[str, str], callback: str) -> Finished | Refused:
        """Read the answer: the fields of the query or the posted form.

        `kept` is from `begin`, out of this very browser, at most 10 minutes old. An answer that fits another
        `kept` is refused.
        """
        ...


@runtime_checkable
class ProxyProvider(Protocol):
    """Reads who it is from what a proxy in front adds to the request."""

    def require_carrier(self, *, is_socket: bool, asks_certificates: bool) -> None:
        """Raise BadConfiguration if no request can come to this server in a way that its word needs.

        `is_socket`: they come by a unix socket alone; `asks_certificates`: by TLS, from clients with one alone.
        """
        ...

    def read_headers(self, headers: Sequence[tuple[str, str]], carrier: Carrier) -> Identity | Refused:
        """Return for whom the proxy vouches. `headers` are all that came, by their lower-case names."""
        ...


@runtime_checkable
class SignOutProvider(Protocol):
    """Has a page for signing out."""

    def sign_out_url(self, back: str) -> str | None:
        """Return the address of that page, which leads on to `back`; None if it has none or is not to be used."""
        ...


@runtime_checkable
class LogoutProvider(Protocol):
    """Tells by itself that somebody signed out there."""

    def read_logout(self, text: str) -> Ended | Refused:
        """Read what it sent."""
        ...


@runtime_checkable
class DescribedProvider(Protocol):
    """Is reached only by those who know us."""

    def describe(self, callback: str) -> bytes:
        """Return what the provider's side has to know of us, as XML (SAML metadata)."""
        ...


@runtime_checkable
class DirectoryProvider(Protocol):
    """Can be asked about people who are not there at the moment."""

    def read(self, subject: str) -> Identity | Refused:
        """Return somebody as they are now, or that they are gone or may not sign in any more."""
        ...


@runtime_checkable
class TranslatingProvider(Protocol):
    """Makes subjects out of what its directory calls people; without this the two are the same text."""

    def subject_for(self, external_id: str) -> str:
        """Return the subject that a sign-in of this person gives."""
        ...

    def external_id_of(self, subject: str) -> str | None:
        """Return the other way round; None if it cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was tried of a configuration, and how it went."""

    words: str
    trouble: str = ""
    """What is wrong; empty: nothing."""
    hint: str = ""


@runtime_checkable
class ExaminedProvider(Protocol):
    """Can be tried out before anybody signs in. Nothing here raises Unavailable but `look_up`."""

    def steps(self) -> Iterable[Step]:
        """Try one thing after the other, up to the first that makes the rest pointless."""
        ...

    def look_up(self, login: str) -> Identity | Refused:
        """Return who a name is, as they would be if they signed in now; asks for no password."""
        ...


@dataclass(frozen=True, slots=True)
class ConfiguredProvider:
    """A provider as the site uses it. What it can do is told by the protocols above."""

    id: str
    name: str
    """What its button says."""
    provider: IdentityProvider
    admission: Admission = field(default_factory=Admission)
    read_every_seconds: int = 900
    """How often a directory is asked about each of its people."""
    admin_grace_seconds: int = 0
    """For how long an administrator's last known state holds while the directory is out of reach."""
    grace_seconds: int = 3600
    """The same for others."""
    push_digests: tuple[bytes, ...] = ()
    """SHA-256 of each credential with which its directory pushes people (SCIM); none: it pushes nobody."""

    def subject_for(self, external_id: str) -> str:
        """Return the subject of somebody whom the directory calls `external_id`."""
        return self.provider.subject_for(external_id) if isinstance(self.provider, TranslatingProvider) else external_id

    def external_id_of(self, subject: str) -> str | None:
        """Return what the directory calls the person of a subject; None if it cannot be told."""
        return self.provider.external_id_of(subject) if isinstance(self.provider, TranslatingProvider) else subject

    @property
    def passwords(self) -> PasswordProvider | None:
        """The provider if it checks passwords."""
        return self.provider if isinstance(self.provider, PasswordProvider) else None

    @property
    def redirect(self) -> RedirectProvider | None:
        """The provider if the browser is sent to it."""
        return self.provider if isinstance(self.provider, RedirectProvider) else None

    @property
    def proxy(self) -> ProxyProvider | None:
        """The provider if a proxy in front speaks for it."""
        return self.provider if isinstance(self.provider, ProxyProvider) else None

    @property
    def sign_out(self) -> SignOutProvider | None:
        """The provider if it has a page for signing out."""
        return self.provider if isinstance(self.provider, SignOutProvider) else None

    @property
    def logout(self) -> LogoutProvider | None:
        """The provider if it tells of those who signed out there."""
        return self.provider if isinstance(self.provider, LogoutProvider) else None

    @property
    def has_button(self) -> bool:
        """Whether people sign in with it by pressing a button."""
        return self.redirect is not None or self.proxy is not None

    @property
    def described(self) -> DescribedProvider | None:
        """The provider if its side has to know us."""
        return self.provider if isinstance(self.provider, DescribedProvider) else None

    @property
    def directory(self) -> DirectoryProvider | None:
        """The provider if it can be asked about absent people."""
        return self.provider if isinstance(self.provider, DirectoryProvider) else None
