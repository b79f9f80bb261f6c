"""What sign-ins leave behind besides sessions: failures, what must not be taken twice, and remembered browsers."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gatepass.model.device import Device


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


class DeviceRepository(Protocol):
    """Browsers in which somebody signed in with a password."""

    def add(self, device: Device) -> None:
        """Keep a new device."""
        ...

    def find(self, handle_hash: bytes) -> Device | None:
        """Return the device of a handle, however old."""
        ...

    def list(self, user_id: UUID) -> Sequence[Device]:
        """Return a user's devices, the oldest first."""
        ...

    def remove(self, handle_hash: bytes) -> None:
        """Forget a device, if there is one."""
        ...

    def remove_of(self, user_id: UUID, *, but: bytes = b"") -> None:
        """Forget all devices of a user, but for the one with this hash."""
        ...

    def prune(self, before: datetime) -> None:
        """Forget devices that were made before."""
        ...
