"""A disk that remembers: a SQLite VFS that records every write, and the images a power cut may leave.

What was synced survives. Each later write may be whole, lost, or torn at a sector of 512 bytes.
Limits of the rig: names of files count as durable, and the disk does not lie about its syncs.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512


@dataclass(frozen=True)
class Operation:
    """Something that reached the disk, or (`ack`) something that was acknowledged."""

    kind: str
    name: str = ""
    offset: int = 0
    data: bytes = b""
    state: Any = None


class _File(apsw.VFSFile):
    def __init__(self, disk: "Disk", name: Any, flags: Any) -> None:
        self._disk = disk
        self._name = Path(name.filename() if hasattr(name, "filename") else name or "").name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  SQLite's name
        self._disk.note(Operation("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.note(Operation("truncate", self._name, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.note(Operation("sync", self._name))
        super().xSync(flags)


@dataclass
class Disk(apsw.VFS):
    """The recording VFS, registered under `name`. `fail` makes writes fail, as a full disk does."""

    name: str
    log: list[Operation] = field(default_factory=list)
    fail: type[Exception] | None = None

    def __post_init__(self) -> None:
        super().__init__(self.name, "")

    def note(self, operation: Operation) -> None:
        if self.fail is not None and operation.kind in {"write", "sync"}:
            raise self.fail("the disk says no")
        self.log.append(operation)

    def xOpen(self, name: Any, flags: Any) -> _File:  # noqa: N802
        return _File(self, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802
        self.note(Operation("delete", Path(name).name))
        super().xDelete(name, sync)

    def acknowledge(self, state: Any) -> None:
        """Note that everything up to here was acknowledged, and what is true from now on."""
        self.log.append(Operation("ack", state=state))


def _apply(content: bytearray, operation: Operation) -> None:
    if operation.kind == "truncate":
        del content[operation.offset :]
        return
    end = operation.offset + len(operation.data)
    if len(content) < operation.offset:
        content.extend(bytes(operation.offset - len(content)))
    content[operation.offset : end] = operation.data


def cut(log: Sequence[Operation], at: int, chance: random.Random) -> tuple[dict[str, bytes], Any]:
    """Return the files after a power cut at `log[at]`, and the last state that was acknowledged."""
    durable: dict[str, bytearray] = {}
    pending: dict[str, list[Operation]] = {}
    acknowledged: Any = None
    for operation in log[:at]:
        if operation.kind == "ack":
            acknowledged = operation.state
        elif operation.kind == "sync":
            for earlier in pending.pop(operation.name, []):
                _apply(durable.setdefault(operation.name, bytearray()), earlier)
        elif operation.kind == "delete":
            durable.pop(operation.name, None)
            pending.pop(operation.name, None)
        else:
            pending.setdefault(operation.name, []).append(operation)
    for name, operations in pending.items():
        content = durable.setdefault(name, bytearray())
        for operation in operations:
            if (survivor := _survivor(operation, chance)) is not None:
                _apply(content, survivor)
    return {name: bytes(content) for name, content in durable.items()}, acknowledged


def _survivor(operation: Operation, chance: random.Random) -> Operation | None:
    """Return what of an unsynced write reaches the disk, if anything."""
    roll = chance.random()
    if roll < 0.4:
        return None
    if roll < 0.6 and operation.kind == "write" and len(operation.data) > SECTOR:
        sectors = chance.randrange(1, len(operation.data) // SECTOR + 1)
        return Operation("write", operation.name, operation.offset, operation.data[: sectors * SECTOR])
    return operation
