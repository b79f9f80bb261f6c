"""REST: the audit log."""

from gatepass.model.event import EventRecord
from gatepass.model.instant import iso
from gatepass.server.api import shapes
from gatepass.server.api.routing import Answer, Call, Operation
from gatepass.server.parsing import parse_page
from gatepass.services.list_events import list_events

# How a detail is called where the API has a name for it already.
_NAMES = {
    "expires_at": "expiredAt",
    "parent_id": "parentTokenId",
    "is_admin": "isAdmin",
    "allowed_networks": "allowedNetworks",
    "first_record": "firstRecord",
    "last_record": "lastRecord",
    "switched_off": "switchedOff",
    "last_record_at": "lastRecordAt",
}


def list_(call: Call) -> Answer:
    """List audit records."""
    page = parse_page(call.query, ids=False)
    found = list_events(call.deps, call.actor, page=page)
    link = shapes.next_link("/v4/auditEvents", dict(call.query), page, found, found[-1].sequence if found else "")
    return Answer(shapes.AuditEventList([_event(record) for record in found]), headers=link)


def _event(record: EventRecord) -> shapes.AuditEvent:
    return shapes.AuditEvent(
        sequence=record.sequence,
        time=iso(record.at),
        action=record.action,
        actor_id=str(record.actor_id) if record.actor_id else None,
        actor_email=record.actor_name,
        credential=record.credential.value,
        credential_id=str(record.credential_id) if record.credential_id else None,
        subject_id=str(record.subject_id) if record.subject_id else None,
        owner_id=str(record.owner_id) if record.owner_id else None,
        owner_email=record.owner_name,
        details={_NAMES.get(name, name): value for name, value in record.details.items()},
        address=record.address,
        request_id=record.request_id,
    )


ROUTES = (
    Operation(
        method="GET",
        path="/v4/auditEvents",
        handler=list_,
        summary="List the audit log, oldest first (administrators).",
        tag="audit",
        returns=shapes.AuditEventList,
        parameters=shapes.page_parameters("sequence"),
    ),
)
