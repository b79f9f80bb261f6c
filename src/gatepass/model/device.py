"""Devices: browsers in which somebody signed in with a password, remembered for when others guess at it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

DEVICE_LIFETIME = timedelta(days=365)
"""How long a browser is remembered after the latest sign-in in it."""

MOST_DEVICES = 10
"""Devices of one user; signing in in one more browser forgets the oldest."""


@dataclass(frozen=True, slots=True)
class Device:
    """A browser where somebody knew their password. It proves nothing: wrong passwords from it are counted apart.

    The handle in its cookie is kept only as a SHA-256.
    """

    handle_hash: bytes
    user_id: UUID
    name_key: bytes
    """Under what the throttle counts the name that was typed there."""
    account_key: bytes | None
    """Under what it counts the account at their provider; None for local people."""
    made_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Tell whether it is too old to count."""
        return now - self.made_at >= DEVICE_LIFETIME
