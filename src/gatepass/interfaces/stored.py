"""What is kept: transactions and their repositories."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from gatepass.interfaces.follower import FollowerRepository
from gatepass.interfaces.journal import JournalRepository
from gatepass.interfaces.sign_ins import DeviceRepository, FailureRepository, SpentRepository
from gatepass.interfaces.verification import Verifications
from gatepass.model.change import Change, ChangeKind
from gatepass.model.event import EventRecord
from gatepass.model.registered_verifier import RegisteredVerifier
from gatepass.model.session import Session
from gatepass.model.settings import Settings
from gatepass.model.token import Token, TokenStatus
from gatepass.model.use import DayCount, UseCount
from gatepass.model.user import Password, PasswordLink, User


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted.

    `after` and `before` are the key of a row (an id, a sequence number) and exclude it; both cost
    the same at any depth. `offset` rows are skipped and cost their number. The rows come back in
    the order of their keys, or the other way round with `newest_first`; `before` still means the
    rows that lie earlier in that order, and takes the nearest ones.
    """

    limit: int
    after: Any = None
    before: Any = None
    offset: int = 0
    newest_first: bool = False


UserFilter = Literal["admins", "disabled"]


@dataclass(frozen=True, slots=True)
class UserCounts:
    """How many people there are, deleted ones apart."""

    all: int
    disabled: int
    live_admins: int


class TokenRepository(Protocol):
    """The stored tokens."""

    def add(self, token: Token) -> None:
        """Keep a new token. Raises Conflict if its id, or its owner's idempotency key, is taken."""
        ...

    def find(self, token_id: UUID) -> Token | None:
        """Return a token, deleted or not."""
        ...

    def find_by_key(self, owner_id: UUID, key_hash: bytes) -> Token | None:
        """Return the token that was made with this idempotency key."""
        ...

    def list(
        self,
        owner_id: UUID,
        page: Page,
        *,
        now: datetime,
        status: TokenStatus | None = None,
        prefix: str | None = None,
        by_tail: bool = False,
    ) -> Sequence[Token]:
        """Return a page of someone's tokens by creation (key: the id).

        Without `status` deleted ones are left out. `prefix` matches, without case, the start of
        the description or of the id and, with `by_tail`, of the last twelve digits of the id.
        """
        ...

    def revoke(self, token_id: UUID, at: datetime) -> bool:
        """Mark a token deleted and wipe its mac and salt; False if it was deleted before.

        The first date wins; nothing brings a token back.
        """
        ...

    def record_uses(self, uses: Mapping[UUID, datetime]) -> None:
        """Move `last_used_at` forward; touches nothing else. Uses after the deletion are ignored."""
        ...

    def prune(self, ended_before: datetime, *, limit: int) -> int:
        """Remove at most `limit` records that expired or were deleted before; return how many."""
        ...

    def count_by_pepper(self) -> Mapping[int, int]:
        """Count the tokens that are not deleted by their pepper; reads them all."""
        ...

    def wipe_salts(self, created_before: datetime) -> None:
        """Forget the salts of idempotent creations from before."""
        ...


class UseRepository(Protocol):
    """How often tokens were accepted and refused, by the hour. Goes with the record of the token."""

    def add(self, counts: Iterable[UseCount]) -> None:
        """Add to what is counted. Counts of tokens that have no record any more are ignored."""
        ...

    def list_days(self, token_ids: Sequence[UUID], since: int) -> Sequence[DayCount]:
        """Return the counts of some tokens from day `since` on, added up by day; in one look-up."""
        ...

    def prune(self, before: int, *, limit: int) -> int:
        """Remove at most `limit` counts of hours before `before`; return how many."""
        ...


class UserRepository(Protocol):
    """The stored users and their local passwords."""

    def add(self, user: User) -> None:
        """Keep a new user. Raises Conflict if the e-mail address is taken."""
        ...

    def update(self, user: User) -> None:
        """Replace a user. Raises Conflict if the e-mail address is taken."""
        ...

    def find(self, user_id: UUID) -> User | None:
        """Return a user, disabled or not; a deleted one is not found."""
        ...

    def find_by_email(self, email: str) -> User | None:
        """Return the user of that name, compared without case; a deleted one is not found."""
        ...

    def find_by_subject(self, provider: str, subject: str) -> User | None:
        """Return the user of that key at an identity provider; a deleted one is not found."""
        ...

    def list_unchecked(self, provider: str, *, since: datetime, after: UUID | None, limit: int) -> Sequence[User]:
        """Return some of a provider's users whom it was not asked about after `since`, by id, those after `after`.

        Who is disabled is left out, unless because the provider lost them.
        """
        ...

    def note_checked(self, user_id: UUID, at: datetime) -> None:
        """Move `checked_at` forward; touches nothing else."""
        ...

    def list(self, page: Page, *, prefix: str | None = None, only: UserFilter | None = None) -> Sequence[User]:
        """Return a page of users by creation (key: the id), deleted ones left out.

        `prefix` matches, without case, the start of the e-mail address or the name; `only` picks
        administrators or disabled people.
        """
        ...

    def list_of_provider(self, provider: str, page: Page) -> Sequence[User]:
        """Return a page of the people of a provider by creation (key: the id), deleted ones left out."""
        ...

    def count_of_provider(self, provider: str) -> int:
        """Count the people of a provider, deleted ones apart."""
        ...

    def note_sign_in(self, user_id: UUID, at: datetime) -> None:
        """Move `last_sign_in_at` forward; touches nothing else."""
        ...

    def counts(self) -> UserCounts:
        """Count the users."""
        ...

    def find_password(self, user_id: UUID) -> Password | None:
        """Return a user's stored password; None for users who have none here."""
        ...

    def set_password(self, user_id: UUID, password: Password | None) -> None:
        """Replace a user's stored password, or remove it, with any one-time links."""
        ...

    def add_link(self, link: PasswordLink) -> None:
        """Keep a one-time link; earlier ones of the same user end."""
        ...

    def find_link(self, handle_hash: bytes) -> PasswordLink | None:
        """Return a one-time link, expired or not."""
        ...

    def prune_links(self, expired_before: datetime) -> None:
        """Remove links that ended before."""
        ...


class SessionRepository(Protocol):
    """The stored browser sessions."""

    def add(self, session: Session) -> None:
        """Keep a new session."""
        ...

    def find(self, handle_hash: bytes) -> Session | None:
        """Return the session of a handle, over or not."""
        ...

    def find_by_id(self, session_id: UUID) -> Session | None:
        """Return a session by its id, over or not."""
        ...

    def list(self, user_id: UUID) -> Sequence[Session]:
        """Return a user's sessions, the oldest first."""
        ...

    def list_of_reference(self, provider: str, reference: str) -> Sequence[Session]:
        """Return the sessions that a provider knows by this reference, the oldest first."""
        ...

    def update(self, session: Session) -> None:
        """Replace a session; nothing happens if it was ended meanwhile."""
        ...

    def remove(self, session_id: UUID) -> bool:
        """End a session; False if there is none."""
        ...

    def remove_of(self, user_id: UUID, *, except_id: UUID | None = None) -> int:
        """End all sessions of a user, but for one; return how many."""
        ...

    def prune(self, *, seen_before: datetime, signed_in_before: datetime) -> None:
        """Remove sessions that idled or aged out."""
        ...


class EventRepository(Protocol):
    """The audit records."""

    def add(self, record: EventRecord) -> None:
        """Append a record; its `sequence` is ignored and the next number given to it."""
        ...

    def list(
        self, page: Page, *, actions: Iterable[str] | None = None, about: UUID | None = None
    ) -> Sequence[EventRecord]:
        """Return a page of records in the order of commits (key: the sequence).

        `actions` are the starts of the actions wanted (`token.`); `about` is an actor, subject or
        owner.
        """
        ...


class SettingsRepository(Protocol):
    """The stored settings."""

    def load(self) -> Settings:
        """Return all settings."""
        ...

    def save(self, settings: Settings) -> None:
        """Replace all settings."""
        ...


class ChangeRepository(Protocol):
    """What verifiers must hear of; written in the transaction that changes what is accepted."""

    @property
    def made(self) -> Sequence[Change]:
        """The changes that this transaction has added so far."""
        ...

    def add(self, kind: ChangeKind, subject_id: UUID | None = None) -> None:
        """Append a change with the next revision."""
        ...

    def head(self) -> int:
        """Return the revision of the last change, 0 before the first."""
        ...

    def epoch(self) -> str:
        """Return which history this is: another text for another database, and for one that was restored."""
        ...

    def list_after(self, revision: int) -> Sequence[Change] | None:
        """Return the changes after `revision`, oldest first; None if some were pruned, or it lies ahead."""
        ...

    def prune(self, *, keep: int) -> None:
        """Forget all but the last `keep` changes."""
        ...


class VerifierRepository(Protocol):
    """The registered verifiers. They are few, so a list holds them all."""

    def add(self, verifier: RegisteredVerifier) -> None:
        """Keep a new verifier. Raises Conflict if its id, or the name among those not removed, is taken."""
        ...

    def find(self, verifier_id: UUID) -> RegisteredVerifier | None:
        """Return a verifier, removed or not."""
        ...

    def find_by_name(self, name: str) -> RegisteredVerifier | None:
        """Return the verifier of that name, compared without case; a removed one is not found."""
        ...

    def list(self) -> Sequence[RegisteredVerifier]:
        """Return the verifiers by creation, removed ones left out."""
        ...

    def remove(self, verifier_id: UUID, at: datetime) -> bool:
        """Mark a verifier removed and wipe its mac; False if it was before. Nothing brings it back."""
        ...

    def count_by_pepper(self) -> Mapping[int, int]:
        """Count the verifiers that are not removed by their pepper."""
        ...


class Transaction(Protocol):
    """One consistent view of everything stored."""

    def find_verifications(self, token_ids: Iterable[UUID]) -> Verifications:
        """Return what judging tokens needs, as `Store` does, at the moment of this view."""
        ...

    @property
    def tokens(self) -> TokenRepository:
        """The tokens."""
        ...

    @property
    def uses(self) -> UseRepository:
        """The uses of tokens."""
        ...

    @property
    def users(self) -> UserRepository:
        """The users."""
        ...

    @property
    def sessions(self) -> SessionRepository:
        """The sessions."""
        ...

    @property
    def events(self) -> EventRepository:
        """The audit records."""
        ...

    @property
    def settings(self) -> SettingsRepository:
        """The settings."""
        ...

    @property
    def failures(self) -> FailureRepository:
        """The failed sign-ins."""
        ...

    @property
    def spent(self) -> SpentRepository:
        """What was taken once."""
        ...

    @property
    def devices(self) -> DeviceRepository:
        """The remembered browsers."""
        ...

    @property
    def followers(self) -> FollowerRepository:
        """Who follows the changes."""
        ...

    @property
    def changes(self) -> ChangeRepository:
        """The changes of what is accepted."""
        ...

    @property
    def journal(self) -> JournalRepository:
        """The mark of the revocation journal."""
        ...

    @property
    def verifiers(self) -> VerifierRepository:
        """The registered verifiers."""
        ...
