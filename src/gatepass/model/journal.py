"""The values of the revocation journal: what became of tokens, people and verifiers, kept outside the database."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Fate(StrEnum):
    """What the database said of a subject when the record was written."""

    TOKEN_DELETED = "token-deleted"  # noqa: S105  the name of a fate
    USER_DISABLED = "user-disabled"
    USER_DELETED = "user-deleted"
    VERIFIER_REMOVED = "verifier-removed"
    TOKENS_OFF = "tokens-off"
    """The feature was switched off; there is no subject."""
    USER_LIVE = "user-live"
    TOKENS_ON = "tokens-on"

    @property
    def is_life(self) -> bool:
        """Tell whether it undoes an earlier fate. Such a record may be written only after the fact."""
        return self in {Fate.USER_LIVE, Fate.TOKENS_ON}


@dataclass(frozen=True, slots=True)
class JournalRecord:
    """What one transaction brought about; without entries it only says that something was tried."""

    number: int
    restores: int
    """How often a database was put back before this."""
    revision: int
    """The revision of the change feed that the transaction reached."""
    at: datetime
    entries: tuple[tuple[Fate, UUID | None], ...]


@dataclass(frozen=True, slots=True)
class JournalMark:
    """How far a database has followed its journal. Kept in the database, in the transaction of each record."""

    journal_id: UUID
    number: int
    """Of the last record; 0 before the first."""
    size: int
    """Bytes of the journal up to there."""
    chain: bytes
    """The hash in that record, which covers all before it."""
    restores: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """How much a database lacked of what its journal says."""

    tokens: int = 0
    disabled: int = 0
    deleted: int = 0
    verifiers: int = 0
    switched_off: bool = False

    @property
    def is_nothing(self) -> bool:
        """Tell whether it lacked nothing."""
        return self == Replayed()

    def words(self) -> list[str]:
        """Say it, a text for each kind."""
        counts = (
            (self.tokens, "token deleted", "tokens deleted"),
            (self.disabled, "person disabled", "people disabled"),
            (self.deleted, "person deleted", "people deleted"),
            (self.verifiers, "verifier removed", "verifiers removed"),
        )
        said = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
        return [*said, "tokens switched off"] if self.switched_off else said
