"""Remembered browsers in SQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gatepass.model.device import Device
from gatepass.model.instant import from_milliseconds, to_milliseconds
from gatepass.stores.sql.connection import Connection, Row

_COLUMNS = "handle_hash, user_id, name_key, account_key, made_at"


def _device_of(row: Row) -> Device:
    handle_hash, user_id, name_key, account_key, made = row
    return Device(handle_hash, UUID(bytes=user_id), name_key, account_key, from_milliseconds(made))


class SqlDevices:
    """The repository over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def add(self, device: Device) -> None:
        """Keep a new device."""
        self._db.run(
            f"INSERT INTO devices ({_COLUMNS}) VALUES (:handle, :user, :name, :account, :made)",
            handle=device.handle_hash,
            user=device.user_id.bytes,
            name=device.name_key,
            account=device.account_key,
            made=to_milliseconds(device.made_at),
        )

    def find(self, handle_hash: bytes) -> Device | None:
        """Return the device of a handle."""
        row = self._db.one(f"SELECT {_COLUMNS} FROM devices WHERE handle_hash = :handle", handle=handle_hash)
        return _device_of(row) if row else None

    def list(self, user_id: UUID) -> Sequence[Device]:
        """Return a user's devices, the oldest first."""
        rows = self._db.all(
            f"SELECT {_COLUMNS} FROM devices WHERE user_id = :user ORDER BY made_at, handle_hash", user=user_id.bytes
        )
        return [_device_of(row) for row in rows]

    def remove(self, handle_hash: bytes) -> None:
        """Forget a device."""
        self._db.run("DELETE FROM devices WHERE handle_hash = :handle", handle=handle_hash)

    def remove_of(self, user_id: UUID, *, but: bytes = b"") -> None:
        """Forget a user's devices but for one."""
        self._db.run("DELETE FROM devices WHERE user_id = :user AND handle_hash <> :kept", user=user_id.bytes, kept=but)

    def prune(self, before: datetime) -> None:
        """Forget older devices."""
        self._db.run("DELETE FROM devices WHERE made_at < :before", before=to_milliseconds(before))
