"""The provider itself: whose name it is, whose password, and how somebody is now."""

from collections.abc import Generator, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from gatepass.errors import Unavailable
from gatepass.identity.ldap.connections import Entry, Servers, Session
from gatepass.identity.ldap.flavours import Directory
from gatepass.identity.ldap.groups import groups_of
from gatepass.identity.ldap.names import (
    any_of,
    dn_value,
    filter_value,
    guid_bytes,
    guid_text,
    normal_dn,
    usable_login,
    without_domain,
)
from gatepass.identity.ldap.states import STATE_ATTRIBUTES, bind_refusal, entry_refusal
from gatepass.interfaces import Clock, Step
from gatepass.model.identity import SUBJECT_LENGTH, Identity, Refusal, Refused
from gatepass.model.secret import Secret, generate_handle

_LONGEST_PASSWORD = 1024
_GUID = "objectGUID"
_UUIDS = frozenset({"entryuuid", "nsuniqueid"})


class _Provider:
    """What both ways have in common."""

    def __init__(self, directory: Directory, *, provider_id: str, clock: Clock) -> None:
        """Take the options of the directory."""
        self._reader = Reader(directory, provider_id, clock)
        self._servers = Servers(directory)
        self._directory = directory

    def close(self) -> None:
        """Nothing is held open."""

    @property
    def servers(self) -> Servers:
        """The servers, for tests of a configuration."""
        return self._servers

    def _reach(self) -> Generator[Step, None, bool]:
        """Try each server; tell whether any of them answers."""
        reached = False
        for address, trouble in self._servers.open_each():
            reached = reached or trouble is None
            yield _step(f"{address.host}:{address.port} answers over TLS", trouble)
        return reached

    def _typed(self, login: str) -> str | None:
        """Return the name that was typed, without a domain of this directory; None for what no name can be."""
        name = usable_login(login)
        return without_domain(name, self._directory.options.domains) if name else None


class LdapProvider(_Provider):
    """Searches with an account of its own, then binds as whoever was found."""

    def resolve(self, login: str) -> str | None:
        """Return the DN of the one entry that a name stands for."""
        name = self._typed(login)
        # Nobody's name is searched for too, so that it takes as long.
        wanted = any_of(self._directory.login_attributes, name or generate_handle().reveal())
        with self._servers.open() as session:
            self._bind_as_searcher(session)
            found = session.find(
                self._directory.options.base, f"(&{self._directory.user_filter}{wanted})", [], whole=True, most=2
            )
        return found[0].dn if len(found) == 1 and name else None

    def check(self, account: str | None, password: Secret) -> Identity | Refused:
        """Read the entry, then bind with its DN and the password, then read its groups."""
        given = password_bytes(password)
        with self._servers.open() as session:
            self._bind_as_searcher(session)
            entry = self._reader.entry_at(session, account or self._nobody())
            refused = self._bind(account, given) if account and entry and given else self._bind_as_nobody()
            if entry is None or account is None:
                return Refused(Refusal.UNKNOWN)
            return self._reader.judged(session, entry, refused, reference=account)

    def read(self, subject: str) -> Identity | Refused:
        """Find the one entry of a subject, wherever it is by now."""
        wanted = self._reader.subject_filter(subject)
        if wanted is None:
            return Refused(Refusal.GONE)
        with self._servers.open() as session:
            self._bind_as_searcher(session)
            found = self._reader.people(session, wanted)
            if len(found) != 1:
                return Refused(Refusal.AMBIGUOUS if found else Refusal.GONE, subject)
            return self._reader.judged(session, found[0], None, reference=found[0].dn)

    def steps(self) -> Iterator[Step]:
        """Try the servers, the searching account, and whether it sees anybody."""
        reached = yield from self._reach()
        if not reached:
            return
        try:
            with self._servers.open() as session:
                self._bind_as_searcher(session)
                yield Step("the searching account is let in")
                options = self._directory.options
                people = session.find(options.base, self._directory.user_filter, [], whole=True, most=1)
                groups = session.find(self._directory.group_base, self._directory.group_filter, [], whole=True, most=1)
        except Unavailable as error:
            yield _step("the searching account looks around", error)
            return
        yield Step(
            f"people are below {options.base}",
            "" if people else f"nobody there fits {self._directory.user_filter}",
            "" if people else "check base and user_filter, and what the searching account may read",
        )
        yield Step(
            f"groups are below {self._directory.group_base}",
            "" if groups else f"none there fits {self._directory.group_filter}",
            "" if groups else "check group_base and group_filter; without groups nobody can be told apart by them",
        )

    def look_up(self, login: str) -> Identity | Refused:
        """Return who a name is."""
        account = self.resolve(login)
        if account is None:
            return Refused(Refusal.UNKNOWN)
        with self._servers.open() as session:
            self._bind_as_searcher(session)
            entry = self._reader.entry_at(session, account)
            return self._reader.judged(session, entry, None, reference=account) if entry else Refused(Refusal.UNKNOWN)

    def _bind_as_searcher(self, session: Session) -> None:
        options = self._directory.options
        refusal = bind_refusal(session.bind(options.bind_dn, options.bind_password.encode()))
        if refusal is not None:
            raise Unavailable(
                f"the directory does not let the searching account in: {refusal}",
                hint="check bind_dn and bind_password, and that the account is neither locked nor expired",
            )

    def _bind(self, dn: str, given: bytes) -> Refusal | None:
        """Return why somebody's bind was refused, None if it was not."""
        with self._servers.open() as session:
            return bind_refusal(session.bind(dn, given))

    def _bind_as_nobody(self) -> Refusal:
        """Do the work of a bind that is refused."""
        self._bind(self._nobody(), _made_up())
        # SECURITY: whatever came of that.
        return Refusal.WRONG_PASSWORD

    def _nobody(self) -> str:
        return f"cn={dn_value(generate_handle().reveal())},{self._directory.options.base}"


class DirectLdapProvider(_Provider):
    """Binds as whoever signs in, and looks with their eyes. It cannot be asked about people who are not there."""

    def resolve(self, login: str) -> str | None:
        """Return whom to bind as; whether they exist shows then."""
        name = self._typed(login)
        template = self._directory.options.direct_bind
        suffix = template.partition("{login}")[2]
        if name and "=" not in template and suffix.startswith("@"):
            bare = name[: -len(suffix)] if name.casefold().endswith(suffix.casefold()) else name
            # SECURITY: a name with another domain in it would be bound as somebody there.
            name = bare if bare and not set(bare) & set('@\\/"[]:;|=,+*?<>') else None
        if name is None:
            return None
        if "=" in template:
            return normal_dn(template.replace("{login}", dn_value(name)))
        return template.replace("{login}", name.casefold())

    def check(self, account: str | None, password: Secret) -> Identity | Refused:
        """Bind, then read one's own entry and groups."""
        given = password_bytes(password)
        name = account or self.resolve(generate_handle().reveal()) or ""
        with self._servers.open() as session:
            refusal = bind_refusal(session.bind(name, (given if account else None) or _made_up()))
            if account is None:
                return Refused(Refusal.UNKNOWN)
            if given is None or refusal is not None:
                return _refused(refusal or Refusal.WRONG_PASSWORD, account)
            entry = self._own_entry(session, account)
            if entry is None:
                return Refused(Refusal.AMBIGUOUS)
            return self._reader.judged(session, entry, None, reference=account)

    def steps(self) -> Iterator[Step]:
        """Try the servers. What can be seen there shows when somebody signs in."""
        yield from self._reach()

    def look_up(self, login: str) -> Refused:  # noqa: ARG002  whoever it is
        """Look nobody up: without a password there is nobody to look as."""
        return Refused(Refusal.UNKNOWN, detail="with direct_bind nobody can be looked up without their password")

    def _own_entry(self, session: Session, account: str) -> Entry | None:
        """Return the entry that was bound as; None if that is not certain."""
        if "=" in self._directory.options.direct_bind:
            return self._reader.entry_at(session, account)
        wanted = any_of(["sAMAccountName"], _bare(account)) + any_of(["userPrincipalName"], account)
        found = self._reader.people(session, f"(|{wanted})")
        return found[0] if len(found) == 1 else None


class Reader:
    """Makes identities of entries."""

    def __init__(self, directory: Directory, provider_id: str, clock: Clock) -> None:
        """Read entries of `directory`, for the provider of that id."""
        self._directory = directory
        self._provider_id = provider_id
        self._clock = clock
        names = (directory.subject_attribute, directory.name_attribute, directory.options.email_attribute)
        self.attributes = list(dict.fromkeys((*names, *directory.login_attributes, *STATE_ATTRIBUTES)))
        """What is read of a person."""

    def entry_at(self, session: Session, dn: str) -> Entry | None:
        """Return the entry at a DN, if it is a person's."""
        found = session.find(dn, self._directory.user_filter, self.attributes, whole=False, most=1)
        return found[0] if len(found) == 1 else None

    def people(self, session: Session, wanted: str) -> Sequence[Entry]:
        """Return the people that a filter finds, two at most: more than one is as bad as any number."""
        directory = self._directory
        found = f"(&{directory.user_filter}{wanted})"
        return session.find(directory.options.base, found, self.attributes, whole=True, most=2)

    def judged(self, session: Session, entry: Entry, refusal: Refusal | None, *, reference: str) -> Identity | Refused:
        """Return who it is, or why they may not sign in."""
        subject, login = self._subject(entry), self._login(entry)
        refusal = refusal or entry_refusal(entry.attributes, self._now())
        if self._directory.is_ad and refusal is None and not entry.attributes.get("useraccountcontrol"):
            # SECURITY: every account there has it, so without it nobody knows whether this one is disabled.
            raise Unavailable(
                "the directory does not show userAccountControl of an entry",
                hint="let the searching account read userAccountControl",
            )
        if refusal is not None:
            return Refused(refusal, subject, login)
        return Identity(
            provider=self._provider_id,
            subject=subject,
            login=login,
            name=entry.text(self._directory.name_attribute),
            email=entry.text(self._directory.options.email_attribute),
            email_verified=self._directory.options.trust_email,
            groups=groups_of(session, self._directory, entry),
            reference=reference,
        )

    def subject_filter(self, subject: str) -> str | None:
        """Return the filter for a subject; None for what none can be."""
        name = self._directory.subject_attribute
        try:
            if name.lower() == _GUID.lower():
                return f"({name}={filter_value(guid_bytes(subject))})"
            if name.lower() in _UUIDS:
                return f"({name}={UUID(subject)})"
            return f"({name}={filter_value(subject)})" if 1 <= len(subject) <= SUBJECT_LENGTH else None
        except (ValueError, UnicodeError):
            return None

    def _subject(self, entry: Entry) -> str:
        name = self._directory.subject_attribute
        values = entry.attributes.get(name.lower(), ())
        try:
            if len(values) == 1:
                return guid_text(values[0]) if name.lower() == _GUID.lower() else values[0].decode()
        except ValueError:
            pass
        raise Unavailable(
            f"the directory does not show one {name} of an entry",
            hint=f"let the searching account read {name}, or set subject_attribute",
        )

    def _login(self, entry: Entry) -> str:
        for name in self._directory.login_attributes:
            if text := entry.text(name):
                return text
        return entry.dn

    def _now(self) -> datetime:
        return self._clock.now()


def password_bytes(password: Secret) -> bytes | None:
    """Return a password as it is sent; None for what must not be: empty, too long, or with U+0000."""
    try:
        given = password.reveal().encode()
    except UnicodeEncodeError:
        return None
    # SECURITY: some servers take an empty password, and some one that begins with a NUL, for no password: success.
    return given if 0 < len(given) <= _LONGEST_PASSWORD and b"\0" not in given else None


def _refused(reason: Refusal, account: str) -> Refused:
    """Return a refusal with the name of an account of which the directory itself has told that it is there.

    Any other name may be whatever was typed, a password too, and is written down nowhere.
    """
    return Refused(reason, login=None if reason in {Refusal.UNKNOWN, Refusal.WRONG_PASSWORD} else _bare(account))


def _bare(account: str) -> str:
    r"""Return what stands in `name@domain` or `DOMAIN\name` for the name; a DN as it is."""
    return account if "=" in account else account.partition("@")[0].rpartition("\\")[2]


def _step(words: str, trouble: Unavailable | None) -> Step:
    hints = {
        "certificate verify failed": "set tls_ca to the PEM file of the authority that signed the server's certificate",
        "hostname mismatch": "write the server in urls as its certificate names it",
        "ip address mismatch": "write the server in urls as its certificate names it",
        "connection refused": "check host and port; 636 is usual for ldaps, 389 for ldap with StartTLS",
    }
    if trouble is None:
        return Step(words)
    hint = next((hint for part, hint in hints.items() if part in str(trouble).lower()), "")
    return Step(words, str(trouble), trouble.hint or hint)


def _made_up() -> bytes:
    return generate_handle().reveal().encode()
