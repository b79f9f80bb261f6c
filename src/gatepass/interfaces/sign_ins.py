"""What sign-ins leave behind besides sessions: failures, and what must not be taken twice."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol


class FailureRepository(Protocol):
    """Failed sign-ins, by hashed account and hashed address."""

    def add(self, keys: Iterable[bytes], at: datetime) -> None:
        """Count one failure for each of the keys."""
        ...

    def list(self, key: bytes, since: datetime) -> Sequence[datetime]:
        """Return the failures of a key after `since`, oldest first."""
        ...

    def forget(self, key: bytes) -> None:
        """Forget the failures of one key."""
        ...

    def prune(self, before: datetime) -> None:
        """Forget older failures."""
        ...


class SpentRepository(Protocol):
    """What was taken once and must not be taken again, such as the id of an assertion. Kept until it ends."""

    def add(self, key: bytes, until: datetime) -> bool:
        """Take it; False if it was taken before."""
        ...

    def prune(self, before: datetime) -> None:
        """Forget what ended before."""
        ...
