"""People as their directory pushes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from gatepass.model.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a directory says of somebody; None says nothing."""

    subject: str | None = None
    """Who they are at the provider, as a sign-in there gives it. It never changes."""
    email: str | None = None
    """What they are called here."""
    name: str | None = None
    """Their display name; empty: none any more."""
    is_active: bool | None = None


@dataclass(frozen=True, slots=True)
class PushedPage:
    """Some of a directory's people, and how many there are."""

    users: Sequence[User]
    total: int
