"""Remembered browsers in memory."""

import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from gatepass.model.device import Device
from gatepass.stores.memory.table import Table


class MemoryDevices:
    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self._table: Table[bytes, Device] = Table(undo)

    def add(self, device: Device) -> None:
        self._table.put(device.handle_hash, device)

    def find(self, handle_hash: bytes) -> Device | None:
        return self._table.rows.get(handle_hash)

    def list(self, user_id: UUID) -> Sequence[Device]:
        found = (each for each in self._table.rows.values() if each.user_id == user_id)
        return sorted(found, key=lambda each: (each.made_at, each.handle_hash))

    def remove(self, handle_hash: bytes) -> None:
        if handle_hash in self._table.rows:
            self._table.drop(handle_hash)

    def remove_of(self, user_id: UUID, *, but: bytes = b"") -> None:
        for each in self.list(user_id):
            if not hmac.compare_digest(each.handle_hash, but):
                self._table.drop(each.handle_hash)

    def prune(self, before: datetime) -> None:
        for each in list(self._table.rows.values()):
            if each.made_at < before:
                self._table.drop(each.handle_hash)
