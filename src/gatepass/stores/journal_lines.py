"""The text of the revocation journal: its first line, its records, and the chain of hashes through them.

A line is JSON, a space, and the SHA-256 of the hash before it and the JSON. What lies after the last
whole line was torn by a power cut before anybody heard of it, and counts for nothing.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from gatepass.model.instant import iso
from gatepass.model.journal import Fate, JournalMark, JournalRecord

_TITLE = "gatepass revocation journal"
TAIL = 65
"""Bytes at the end of a line: the hash in hex, and the end of the line."""


class DamagedRecord(Exception):
    """A record that is not what was written, with others after it."""

    def __init__(self, number: int, before: Sequence[JournalRecord]) -> None:
        super().__init__(f"record {number}")
        self.before = before


def tail_of(mark: JournalMark) -> bytes:
    """Return how the line at `mark` ends."""
    return mark.chain.hex().encode() + b"\n"


def write_title(journal_id: UUID, at: datetime, *, restores: int) -> tuple[bytes, JournalMark]:
    """Return the first line of a journal, and the mark after it."""
    line = _sealed(b"", {"title": _TITLE, "id": str(journal_id), "at": iso(at), "restores": restores})
    return line, JournalMark(journal_id, 0, len(line), _chain(line), restores)


def read_title(line: bytes) -> JournalMark | None:
    """Return the mark after the first line of a journal; None for any other text."""
    fields = _unsealed(b"", line)
    if fields is None or fields.get("title") != _TITLE:
        return None
    return JournalMark(UUID(fields["id"]), 0, len(line), _chain(line), fields["restores"])


def write_record(mark: JournalMark, record: JournalRecord) -> tuple[bytes, JournalMark]:
    """Return the line of a record that follows `mark`, and the mark after it."""
    fields = {
        "number": record.number,
        "restores": record.restores,
        "revision": record.revision,
        "at": iso(record.at),
        "entries": [[fate.value, str(subject) if subject else None] for fate, subject in record.entries],
    }
    line = _sealed(mark.chain, fields)
    return line, _moved(mark, line, record)


def read_records(content: bytes, mark: JournalMark) -> tuple[Sequence[JournalRecord], JournalMark]:
    """Read what follows `mark`; return its records and the mark after the last of them.

    Raises DamagedRecord. The last one may be torn: it is then left out.
    """
    *lines, torn = content.split(b"\n")
    records: list[JournalRecord] = []
    for number, text in enumerate(lines, 1):
        line = text + b"\n"
        record = _record(_unsealed(mark.chain, line))
        if record is None:
            # SECURITY: only what was written last can be torn; a gap in the middle hides what was revoked.
            if number == len(lines) and not torn:
                break
            raise DamagedRecord(mark.number + 1, records)
        records.append(record)
        mark = _moved(mark, line, record)
    return records, mark


def _record(fields: Mapping[str, Any] | None) -> JournalRecord | None:
    if fields is None:
        return None
    return JournalRecord(
        fields["number"],
        fields["restores"],
        fields["revision"],
        datetime.fromisoformat(fields["at"]),
        tuple((Fate(fate), UUID(subject) if subject else None) for fate, subject in fields["entries"]),
    )


def _moved(mark: JournalMark, line: bytes, record: JournalRecord) -> JournalMark:
    restores = max(mark.restores, record.restores)
    return JournalMark(mark.journal_id, record.number, mark.size + len(line), _chain(line), restores)


def _sealed(chain: bytes, fields: Mapping[str, Any]) -> bytes:
    content = json.dumps(fields, separators=(",", ":")).encode()
    return content + b" " + sha256(chain + content).hexdigest().encode() + b"\n"


def _unsealed(chain: bytes, line: bytes) -> dict[str, Any] | None:
    """Return what a line says, None if it is not as it was written."""
    content, _, ending = line.rpartition(b" ")
    if ending != sha256(chain + content).hexdigest().encode() + b"\n":
        return None
    fields: dict[str, Any] = json.loads(content)
    return fields


def _chain(line: bytes) -> bytes:
    return bytes.fromhex(line[-TAIL:-1].decode())
