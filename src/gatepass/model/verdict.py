"""Verdicts: what verification says about a presented token."""

from __future__ import annotations

from enum import StrEnum

from gatepass.model.rights import FULL_ACCESS, Rights
from gatepass.model.value import Value

TYPE_CHECKING = False  # as in model/change.py
if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

NEVER = float("inf")


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


class Accepted:
    """The token is good: its bearer acts as its owner, within its rights.

    Many thousands of these are kept in memory, so a number stands for the token's id and for its
    end; both are read through properties. An Accepted is never changed after it was made.
    """

    __slots__ = ("ends", "number", "owner_id", "owner_name", "rights")

    def __init__(
        self,
        token_id: UUID,
        owner_id: UUID,
        owner_name: str,
        expires_at: datetime | None,
        rights: Rights = FULL_ACCESS,
    ) -> None:
        """Say that the token is `owner_id`'s; `owner_name` is the sign-in name as it was typed."""
        self.number = token_id.int
        self.owner_id = owner_id
        self.owner_name = owner_name
        self.ends = NEVER if expires_at is None else expires_at.timestamp()
        """Seconds since 1970 in UTC, exact to the millisecond; infinite for never."""
        self.rights = rights

    @property
    def token_id(self) -> UUID:
        """The token's id."""
        from uuid import UUID  # noqa: PLC0415  as in model/presented.py

        return UUID(int=self.number)

    @property
    def expires_at(self) -> datetime | None:
        """When the token ends, in UTC; None for never."""
        from datetime import UTC, datetime  # noqa: PLC0415  as in model/presented.py

        return None if self.ends == NEVER else datetime.fromtimestamp(round(self.ends, 3), UTC)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Accepted):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in Accepted.__slots__)

    def __hash__(self) -> int:
        return hash(self.number)

    def __repr__(self) -> str:
        return f"Accepted(token_id={self.token_id}, owner_name={self.owner_name!r}, rights={self.rights})"


class Rejected(Value):
    """The token is known to be unusable. An outage is never this, it is `Unavailable`."""

    __slots__ = ("reason", "token_id")

    def __init__(self, reason: Reason, token_id: UUID | None = None) -> None:
        """Say why, and which token, if there is or was one."""
        self.reason = reason
        self.token_id = token_id


Verdict = Accepted | Rejected
