"""Actors: who is doing something now, and what they proved it with."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Credential(StrEnum):
    """What an actor came with."""

    PASSWORD = "password"  # noqa: S105  the name of a kind of credential
    TOKEN = "token"  # noqa: S105
    SESSION = "session"
    PROVIDER = "provider"
    """An identity provider's word."""
    VERIFIER = "verifier"
    """A registered verifier, which asks about tokens and does nothing else."""
    CONSOLE = "console"
    """Whoever runs commands on the server itself."""
    SYSTEM = "system"
    """Gatepass's own housekeeping."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, with what, from where. Whether they may is decided in `services/access.py`."""

    credential: Credential
    user_id: UUID | None = None
    """None for providers, verifiers, the console and the system, which are not people."""
    credential_id: UUID | None = None
    """The token, session or verifier they came with, or as."""
    proven_at: datetime | None = None
    """When the password behind a session was last typed."""
    password_at: datetime | None = None
    """When the password they came with had been set. Once it is replaced it proves nothing any more."""
    provider: str | None = None
    """The identity provider whose directory pushes its people, if that acts."""
    address: str | None = None
    request_id: str | None = None


CONSOLE = Actor(Credential.CONSOLE)
SYSTEM = Actor(Credential.SYSTEM)
