"""Verdicts: what verification says about a presented token."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gatepass.model.rights import FULL_ACCESS, Rights


class Reason(StrEnum):
    """Why a token is refused. For logs, metrics and the owner; a stranger never learns it."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    DELETED = "deleted"
    EXPIRED = "expired"
    OWNER_DISABLED = "owner-disabled"
    OWNER_DELETED = "owner-deleted"
    FEATURE_OFF = "feature-off"
    NETWORK = "network"
    """Used from outside its networks."""
    AUDIENCE = "audience"
    """Used with a service that it is not meant for."""
    SCOPE = "scope"
    """Good, but not for this: the one refusal that is a 403."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The token is good: its bearer acts as its owner, within its rights."""

    token_id: UUID
    owner_id: UUID
    owner_name: str
    """The owner's sign-in name, as it was typed."""
    expires_at: datetime | None
    rights: Rights = FULL_ACCESS


@dataclass(frozen=True, slots=True)
class Rejected:
    """The token is known to be unusable. An outage is never this, it is `Unavailable`."""

    reason: Reason
    token_id: UUID | None = None


Verdict = Accepted | Rejected
