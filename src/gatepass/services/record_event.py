"""Write an audit record in the transaction of the change it tells of."""

from datetime import datetime

from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor
from gatepass.model.event import Event, EventRecord


def record_event(tx: Transaction, actor: Actor, event: Event, *, now: datetime) -> None:
    """Append `event` as done by `actor`. If this fails the whole change must fail with it."""
    acting = tx.users.find(actor.user_id) if actor.user_id else None
    concerned = tx.users.find(event.owner_id) if event.owner_id else None
    tx.events.add(
        EventRecord(
            sequence=0,
            at=now,
            action=event.action,
            actor_id=actor.user_id,
            actor_name=acting.email if acting else actor.provider,
            credential=actor.credential,
            credential_id=actor.credential_id,
            subject_id=event.subject_id,
            owner_id=event.owner_id,
            owner_name=concerned.email if concerned else None,
            details=event.details(),
            address=actor.address,
            request_id=actor.request_id,
        )
    )
