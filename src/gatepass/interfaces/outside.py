"""What the use cases need from outside the store: time, keys, slow hashes, the site's rules."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gatepass.model.settings import Settings
from gatepass.model.user import User


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC, in whole milliseconds."""
        ...


class Keyring(Protocol):
    """Holds the keys that live outside the database."""

    def current_pepper(self) -> tuple[int, bytes]:
        """Return the number and the 32 bytes of the pepper that new tokens take."""
        ...

    def pepper(self, number: int) -> bytes:
        """Return pepper `number`. Raises Unavailable if it is not known: never a verdict."""
        ...

    def server_key(self) -> bytes:
        """Return the key that idempotent creations derive their secrets from."""
        ...


class PasswordHasher(Protocol):
    """Turns passwords into hashes, slowly, never more at once than the machine has cores."""

    def hash(self, password: bytes) -> str:
        """Return a salted hash. Raises TooManyRequests when too many wait already."""
        ...

    def verify(self, stored: str | None, password: bytes) -> bool:
        """Tell whether `password` is the one behind `stored`.

        None (nobody, or no password) takes the same time and is always False. Raises
        TooManyRequests when too many wait already.
        """
        ...

    def is_outdated(self, stored: str) -> bool:
        """Tell whether `stored` was made with other parameters than `hash` uses now."""
        ...


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a policy judges: who would own the token, and for how long."""

    owner: User
    lifetime_seconds: int


class Policy(Protocol):
    """A site rule about new tokens."""

    def check(self, request: NewToken, settings: Settings) -> None:
        """Raise NotAllowed (who) or InvalidInput (what) if the token must not be made."""
        ...
