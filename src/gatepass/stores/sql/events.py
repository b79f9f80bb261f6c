"""Audit records in SQL."""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from gatepass.interfaces import Page
from gatepass.model.actor import Credential
from gatepass.model.event import ACTIONS, EventRecord
from gatepass.model.instant import from_milliseconds, to_milliseconds
from gatepass.stores.sql.connection import Connection, Cut, Row, id_bytes, identity, name_list

_COLUMNS = (
    "sequence, at, action, actor_id, actor_name, credential, credential_id, subject_id, owner_id, owner_name,"
    " details, address, request_id"
)


def _record_of(row: Row) -> EventRecord:
    sequence, at, action, actor, actor_name, credential, credential_id, subject, owner, owner_name, *rest = row
    details, address, request_id = rest
    return EventRecord(
        sequence=sequence,
        at=from_milliseconds(at),
        action=action,
        actor_id=identity(actor),
        actor_name=actor_name,
        credential=Credential(credential),
        credential_id=identity(credential_id),
        subject_id=identity(subject),
        owner_id=identity(owner),
        owner_name=owner_name,
        details=json.loads(details),
        address=address,
        request_id=request_id,
    )


class SqlEvents:
    """The event repository over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def add(self, record: EventRecord) -> None:
        """Append a record under the next number."""
        # A counter row, never a database sequence: numbers follow the order of commits, without gaps.
        row = self._db.one("UPDATE counters SET value = value + 1 WHERE name = 'events' RETURNING value")
        if row is None:
            raise LookupError("the counter of events is missing")
        self._db.run(
            f"INSERT INTO events ({_COLUMNS}) VALUES (:sequence, :at, :action, :actor, :actor_name, :credential,"
            " :credential_id, :subject, :owner, :owner_name, :details, :address, :request_id)",
            sequence=row[0],
            at=to_milliseconds(record.at),
            action=record.action,
            actor=id_bytes(record.actor_id),
            actor_name=record.actor_name,
            credential=record.credential.value,
            credential_id=id_bytes(record.credential_id),
            subject=id_bytes(record.subject_id),
            owner=id_bytes(record.owner_id),
            owner_name=record.owner_name,
            details=json.dumps(record.details, ensure_ascii=False, separators=(",", ":")),
            address=record.address,
            request_id=record.request_id,
        )

    def list(
        self, page: Page, *, actions: Iterable[str] | None = None, about: UUID | None = None
    ) -> Sequence[EventRecord]:
        """Return a page of records."""
        cut = Cut(page, key="sequence")
        matching, values = "", cut.values
        if actions is not None:
            starts = tuple(actions)
            wanted = [action for action in ACTIONS if action.startswith(starts)]
            values |= {f"action_{number}": action for number, action in enumerate(wanted)}
            matching += f" AND action IN ({name_list(f'action_{number}' for number in range(len(wanted)))})"
        if about is not None:
            values["about"] = about.bytes
            matching += " AND (actor_id = :about OR subject_id = :about OR owner_id = :about)"
        rows = self._db.all(f"SELECT {_COLUMNS} FROM events WHERE 1 = 1{matching}{cut.condition}{cut.order}", **values)
        return [_record_of(row) for row in cut.arranged(rows)]
