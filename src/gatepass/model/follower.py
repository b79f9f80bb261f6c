"""A process that follows the changes, as it is written down where several servers share a database."""

from dataclasses import dataclass
from uuid import UUID

OURSELVES = UUID(int=0)
"""Stands for the verifier where a process follows the database itself, with the key file and no credential."""


@dataclass(frozen=True, slots=True)
class FollowerRecord:
    """How far a process had come when it asked for more, and with that for a lease."""

    verifier_id: UUID
    """The registered verifier, or OURSELVES."""
    instance: str
    server: str
    """The process that wrote this down."""
    name: str
    epoch: str
    acknowledged: int
    """All changes up to this revision of `epoch` count there."""
    bound: float
    """For so many seconds after it asked it may answer from memory; 0 if it says that it does no more."""
    turn: int = 0
    """Another one each time it asks."""
