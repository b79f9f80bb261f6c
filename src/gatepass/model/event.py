"""Events: the audit records. Each change of state writes one in the same transaction.

A new kind of event is a class in here. Its fields are what the record says beside who, when and
from where; they are JSON values, ids as text, and never a secret.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from gatepass.model.actor import Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to `subject_id` (a token, a person, a session, a verifier; None: the installation)."""

    action: ClassVar[str]
    subject_id: UUID | None = None
    owner_id: UUID | None = None
    """The person whom it concerns."""

    def details(self) -> dict[str, Any]:
        """Return what the record says beyond action, subject and owner."""
        return {k: v for k, v in asdict(self).items() if k not in {"subject_id", "owner_id"} and v is not None}


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as it is kept: numbered without gaps in the order of commits."""

    sequence: int
    at: datetime
    action: str
    actor_id: UUID | None
    actor_name: str | None
    credential: Credential
    credential_id: UUID | None
    subject_id: UUID | None
    owner_id: UUID | None
    owner_name: str | None
    details: Mapping[str, Any]
    address: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCreated(Event):
    """A token came into being."""

    action: ClassVar[str] = "token.created"
    description: str | None
    expires_at: str | None
    parent_id: str | None
    scopes: list[str] | None = None
    allowed_networks: list[str] | None = None
    audience: list[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDeleted(Event):
    """A token was deleted, for ever."""

    action: ClassVar[str] = "token.deleted"
    description: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensPruned(Event):
    """Records of tokens that ended long ago were removed."""

    action: ClassVar[str] = "tokens.pruned"
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreated(Event):
    """A person was added."""

    action: ClassVar[str] = "person.created"
    email: str
    is_admin: bool
    provider: str | None = None
    """Where they sign in, unless with a password kept here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged(Event):
    """A person's name, address or rights changed: `{field: [before, after]}`."""

    action: ClassVar[str] = "person.changed"
    changes: dict[str, list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDisabled(Event):
    """A person was disabled: sessions ended, tokens refused."""

    action: ClassVar[str] = "person.disabled"
    provider: str | None = None
    """The provider that lost them, if that is why."""
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEnabled(Event):
    """A person was enabled again."""

    action: ClassVar[str] = "person.enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMoved(Event):
    """A person signs in at a provider from now on; their password here is gone."""

    action: ClassVar[str] = "person.moved"
    provider: str
    name: str | None = None
    """What the provider calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDeleted(Event):
    """A person was deleted; their tokens are dead for good."""

    action: ClassVar[str] = "person.deleted"
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """A password was set or replaced. `by`: `person`, `link` or `console`."""

    action: ClassVar[str] = "password.changed"
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordLinkIssued(Event):
    """A one-time link to set a first password was made."""

    action: ClassVar[str] = "password.link-issued"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Event):
    """Somebody signed in on the pages; the subject is the session."""

    action: ClassVar[str] = "session.started"
    provider: str | None = None
    """Where, unless with a password kept here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRefused(Event):
    """A wrong password was given for a person who exists, or a provider's word was not enough."""

    action: ClassVar[str] = "sign-in.refused"
    provider: str | None = None
    reason: str | None = None
    """A `Refusal`."""
    name: str | None = None
    """What the provider calls somebody who is not known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionProven(Event):
    """The password was typed again in a session."""

    action: ClassVar[str] = "session.proven"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """A session was ended by its owner, or by the provider at which they signed out."""

    action: ClassVar[str] = "session.ended"
    provider: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged(Event):
    """Settings changed: `{name: [before, after]}`."""

    action: ClassVar[str] = "settings.changed"
    changes: dict[str, list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PepperRotated(Event):
    """New tokens are kept under another pepper from now on."""

    action: ClassVar[str] = "pepper.rotated"
    pepper: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierAdded(Event):
    """A verifier was registered; the subject is the verifier."""

    action: ClassVar[str] = "verifier.added"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierRemoved(Event):
    """A verifier was removed; its credential is dead for good."""

    action: ClassVar[str] = "verifier.removed"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalReplayed(Event):
    """The database lacked endings that the revocation journal has; they were repeated."""

    action: ClassVar[str] = "journal.replayed"
    first_record: int
    last_record: int
    tokens: int
    disabled: int
    deleted: int
    verifiers: int
    switched_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRestored(Event):
    """The database was put in place from a backup."""

    action: ClassVar[str] = "database.restored"
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreAccepted(Event):
    """A database that no journal vouches for was let into service, and a new journal began."""

    action: ClassVar[str] = "restore.accepted"
    before: str
    last_record_at: str | None
    """The instant of the last audit record that the database held."""
    reason: str
    """Why the journal did not vouch for it."""


ACTIONS: Mapping[str, type[Event]] = {kind.action: kind for kind in Event.__subclasses__()}
"""Every action an audit record can name."""
