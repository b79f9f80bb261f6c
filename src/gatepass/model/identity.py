"""Identities: what a provider asserts of somebody who proved who they are, and what a site makes of it."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gatepass.errors import InvalidInput
from gatepass.model.text import shorten
from gatepass.model.user import EMAIL_LENGTH, LOCAL, NAME_LENGTH, check_email, is_email

SUBJECT_LENGTH = 255
_PROVIDER_ID = re.compile(r"\A[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*\Z", re.ASCII)
_PROVIDER_ID_LENGTH = 32
_LOGIN = re.compile(r"\A[0-9a-z._-]{1,64}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, as an identity provider knows them at this moment."""

    provider: str
    """The id of the provider in the configuration."""
    subject: str
    """What the provider never gives to anybody else, nor changes: an `objectGUID`, an `entryUUID`, `iss` and `sub`.

    1 to 255 characters, compared as they are. Never an e-mail address or a login name.
    """
    login: str
    """What they call themselves there. Shown, never compared."""
    name: str | None = None
    email: str | None = None
    email_verified: bool = False
    """Whether the provider vouches that the address is theirs. True itself, not something that counts as true."""
    groups: frozenset[str] = frozenset()
    """The groups they are in, in the form in which the configuration names groups."""
    reference: str | None = None
    """What the provider needs to know this sign-in again: an OIDC `sid`, a SAML session index, an LDAP entry."""


class Refusal(StrEnum):
    """Why somebody was not let in. For the log and the audit record; a stranger never learns it."""

    UNKNOWN = "unknown"
    """The provider knows nobody of that name."""
    AMBIGUOUS = "ambiguous"
    """The name stands for more than one entry."""
    WRONG_PASSWORD = "wrong-password"  # noqa: S105  the name of a reason
    DISABLED = "disabled"
    LOCKED = "locked"
    EXPIRED = "expired"
    PASSWORD_EXPIRED = "password-expired"  # noqa: S105
    MUST_CHANGE = "must-change"
    NOT_NOW = "not-now"
    """The account may not sign in at this time, or from here."""
    INVALID = "invalid"
    """What came back proves nothing: a signature, a time, an audience or another browser's answer."""
    REPLAYED = "replayed"
    """What came back was used before."""
    LOST_GROUP = "lost-group"
    """They are in none of the groups that may sign in."""
    NOT_ADDED = "not-added"
    """Nobody is made on first sign-in here, and they were not added before."""
    NAME_TAKEN = "name-taken"
    """Somebody else has their name here."""
    HERE_ALREADY = "here-already"
    """Somebody here is that person of the provider."""
    DISABLED_HERE = "disabled-here"
    GONE = "gone"
    """They are not in the directory any more."""
    DEACTIVATED = "deactivated"
    """Their directory pushed that they are not active any more. Only the directory, or somebody here, undoes that."""
    LOCAL_OFF = "local-off"
    """No password that is kept here counts, or theirs does not any more."""
    UNREACHABLE = "unreachable"
    """The directory was out of reach for longer than its last word holds."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A provider's no. Never an outage, which is Unavailable."""

    reason: Refusal
    subject: str | None = None
    """Whom it concerns, where the provider knows."""
    login: str | None = None
    """What the provider calls them; never what was typed, unless the provider has said that it is somebody's name."""
    detail: str | None = None
    """What exactly was wrong, in words of ours, for the log."""


class NotProven(Exception):
    """What came proves nothing. Inside of providers; the text says why, for the log, in words of ours alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """By what a request reached this server, as far as that shows who sent it."""

    is_socket: bool = False
    """A unix socket of this machine, and there is no other way in."""
    certified: frozenset[str] = frozenset()
    """For whom the certificate is made out with which the client proved itself; empty without one."""


@dataclass(frozen=True, slots=True)
class Once:
    """Something that must not be taken a second time: the id of an assertion, until it would not be taken anyway."""

    key: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """The start of a sign-in elsewhere."""

    url: str
    """Where the browser goes."""
    kept: dict[str, str]
    """What has to come back with the answer (state, nonce, request id). It waits in the browser, signed, not hidden."""
    posted: bool = False
    """Whether the answer is a form that the provider's page posts, as in SAML."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of one: who it was, and what of the answer must not be taken again."""

    identity: Identity
    once: tuple[Once, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """What a provider says is over: the sign-in of that reference, or all of the subject's; both: the one of both."""

    provider: str
    subject: str | None
    reference: str | None
    once: Once


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What a site makes of the identities of one provider."""

    sign_in_groups: frozenset[str] | None = None
    """Who may sign in; None: everybody there."""
    admin_groups: frozenset[str] | None = None
    """Who is an administrator; None: as it was decided here."""
    generate_groups: frozenset[str] | None = None
    """Who may generate tokens, whatever the settings say; None: as the settings say."""
    creates_users: bool = True
    """Whether people are made when they first sign in, or must have been added before."""
    enables_returning: bool = False
    """Whether somebody whom the provider had lost is enabled when they are there again."""
    names_are_pushed: bool = False
    """Whether the directory pushes what people are called, so that a sign-in does not change it."""

    def may_sign_in(self, identity: Identity) -> bool:
        """Tell whether they are in one of the groups that may."""
        return self.sign_in_groups is None or bool(self.sign_in_groups & identity.groups)

    def is_admin(self, identity: Identity, *, before: bool) -> bool:
        """Tell whether they are an administrator; `before` is what they were here."""
        return before if self.admin_groups is None else bool(self.admin_groups & identity.groups)

    def may_generate(self, identity: Identity) -> bool | None:
        """Tell whether they may generate tokens; None leaves it to the settings."""
        return None if self.generate_groups is None else bool(self.generate_groups & identity.groups)


def check_provider_id(text: str) -> str:
    """Return the id of a provider, or raise InvalidInput: lower-case letters, digits, single `-` and `_`."""
    if len(text) > _PROVIDER_ID_LENGTH or _PROVIDER_ID.match(text) is None or text == LOCAL:
        raise InvalidInput(
            "provider", f"{text[:50]!r} is no id of a provider: a-z, 0-9 and single '-' or '_', not {LOCAL!r}"
        )
    return text


def check_subject(text: str) -> str:
    """Return a subject, or raise InvalidInput naming `subject`."""
    if not 1 <= len(text) <= SUBJECT_LENGTH or not text.isprintable():
        raise InvalidInput("subject", f"must be 1 to {SUBJECT_LENGTH} printable characters")
    return text


def user_name_of(identity: Identity) -> str:
    """Return the name that somebody from a provider gets here, in the form of an e-mail address.

    It is their address if the provider vouches for it; else `login@provider`, with a dot for an `@` in the login,
    or a text made of the subject where the login cannot stand there. Raises InvalidInput if even that is too long.
    """
    if identity.email and identity.email_verified is True and is_email(identity.email):
        return identity.email
    login = identity.login.lower().replace("@", ".")
    local = login if _LOGIN.match(login) else _plain(identity.subject)
    return check_email(f"{local}@{identity.provider.replace('_', '-')}")


def display_name_of(identity: Identity) -> str | None:
    """Return their display name in one harmless line, None if there is none."""
    line = " ".join((shorten(identity.name, most=NAME_LENGTH) or "").split())
    return line or None


def fold_login(login: str) -> str:
    r"""Return what most spellings of one account have in common: no domain, no case, no width, no spaces around.

    For counting failures only. `DOMAIN\name`, `name@domain` and `Name` fold alike.
    """
    text = unicodedata.normalize("NFKC", login[:EMAIL_LENGTH]).casefold()
    text = text.rpartition("\\")[2].partition("@")[0]
    return " ".join(text.split())


def printable(words: Iterable[str]) -> frozenset[str]:
    """Return those of `words` that can be the name of a group: printable, not empty, not endless."""
    return frozenset(word for word in words if word and len(word) <= 1024 and word.isprintable())


def _plain(subject: str) -> str:
    kept = "".join(each for each in subject.lower() if each.isascii() and (each.isalnum() or each in "-._"))
    return kept[:64] or "somebody"
