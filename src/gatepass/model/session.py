"""Browser sessions: who is signed in on the pages, and until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gatepass.model.user import LOCAL

IDLE_LIFETIME = timedelta(minutes=30)
ABSOLUTE_LIFETIME = timedelta(hours=12)
FRESH_LIFETIME = timedelta(minutes=15)
"""How long after typing the password a session may generate tokens."""

MOST_SESSIONS = 10
"""Sessions of one user at the same time; signing in once more ends the oldest."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. The handle in its cookie is kept only as a SHA-256."""

    id: UUID
    handle_hash: bytes
    user_id: UUID
    signed_in_at: datetime
    proven_at: datetime
    """When the password was last typed in this session."""
    seen_at: datetime
    address: str | None
    user_agent: str | None
    provider: str = LOCAL
    """Where they proved who they are."""
    reference: str | None = None
    """What the provider calls this sign-in (`Identity.reference`)."""

    def is_over(self, now: datetime) -> bool:
        """Tell whether it has ended by itself, by idling or by age."""
        return now - self.seen_at >= IDLE_LIFETIME or now - self.signed_in_at >= ABSOLUTE_LIFETIME

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the password was typed recently enough to generate a token."""
        return now - self.proven_at < FRESH_LIFETIME
