"""Who follows the changes, where several servers share a database."""

from collections.abc import Iterable, Sequence
from typing import Protocol
from uuid import UUID

from gatepass.model.follower import FollowerRecord


class FollowerRepository(Protocol):
    """Processes that may answer from memory, of all servers. Written beside everything else (`Store.write_uses`)."""

    def save(self, followers: Iterable[FollowerRecord]) -> None:
        """Note that processes ask for more; their `turn` is raised, whatever it says."""
        ...

    def list(self) -> Sequence[FollowerRecord]:
        """Return all of them, also those that have not asked for long."""
        ...

    def remove(self, verifier_id: UUID, instance: str, *, turn: int) -> None:
        """Forget a process if it is known and its `turn` is that one still."""
        ...
