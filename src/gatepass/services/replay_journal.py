"""Repeat what the revocation journal says and the database lacks: after a restore, or a crash before a commit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gatepass.interfaces import Transaction
from gatepass.model.actor import SYSTEM
from gatepass.model.change import ChangeKind
from gatepass.model.event import JournalReplayed
from gatepass.model.journal import Fate, JournalRecord, Replayed
from gatepass.services.record_event import record_event


def replay_journal(tx: Transaction, records: Sequence[JournalRecord], *, now: datetime) -> Replayed:
    """End what the records leave ended and `tx` has alive, with one audit record; return how much that was.

    Nothing is brought to life: a record of a life only takes back an earlier record of its end. Dates are
    those of the records.
    """
    ended = _ended(records)
    done = Replayed(
        tokens=sum(_revoke(tx, subject, at) for (fate, subject), at in ended.items() if fate is Fate.TOKEN_DELETED),
        disabled=sum(_disable(tx, subject, at) for (fate, subject), at in ended.items() if fate is Fate.USER_DISABLED),
        deleted=sum(_delete(tx, subject, at) for (fate, subject), at in ended.items() if fate is Fate.USER_DELETED),
        verifiers=sum(
            _remove(tx, subject, at) for (fate, subject), at in ended.items() if fate is Fate.VERIFIER_REMOVED
        ),
        switched_off=(Fate.TOKENS_OFF, None) in ended and _switch_off(tx),
    )
    if not done.is_nothing:
        event = JournalReplayed(
            first_record=records[0].number,
            last_record=records[-1].number,
            tokens=done.tokens,
            disabled=done.disabled,
            deleted=done.deleted,
            verifiers=done.verifiers,
            switched_off=done.switched_off,
        )
        record_event(tx, SYSTEM, event, now=now)
    return done


_UNDOES = {Fate.USER_LIVE: Fate.USER_DISABLED, Fate.TOKENS_ON: Fate.TOKENS_OFF}


def _ended(records: Sequence[JournalRecord]) -> dict[tuple[Fate, UUID | None], datetime]:
    """Return what the records leave ended, and since when."""
    ended: dict[tuple[Fate, UUID | None], datetime] = {}
    for record in records:
        for fate, subject in record.entries:
            if fate.is_life:
                ended.pop((_UNDOES[fate], subject), None)
            else:
                ended.setdefault((fate, subject), record.at)
    return ended


def _revoke(tx: Transaction, subject: UUID | None, at: datetime) -> bool:
    if subject is None or not tx.tokens.revoke(subject, at):
        return False
    tx.changes.add(ChangeKind.TOKEN, subject)
    return True


def _disable(tx: Transaction, subject: UUID | None, at: datetime) -> bool:
    user = tx.users.find(subject) if subject else None
    if user is None or not user.is_live:
        return False
    tx.users.update(replace(user, disabled_at=at, updated_at=at))
    tx.sessions.remove_of(user.id)
    tx.changes.add(ChangeKind.OWNER, user.id)
    return True


def _delete(tx: Transaction, subject: UUID | None, at: datetime) -> bool:
    user = tx.users.find(subject) if subject else None
    if user is None:
        return False
    tx.sessions.remove_of(user.id)
    tx.users.set_password(user.id, None)
    tx.users.update(replace(user, deleted_at=at, updated_at=at))
    tx.changes.add(ChangeKind.OWNER, user.id)
    return True


def _remove(tx: Transaction, subject: UUID | None, at: datetime) -> bool:
    if subject is None or not tx.verifiers.remove(subject, at):
        return False
    tx.changes.add(ChangeKind.VERIFIER, subject)
    return True


def _switch_off(tx: Transaction) -> bool:
    settings = tx.settings.load()
    if settings.enabled:
        tx.settings.save(replace(settings, enabled=False))
        tx.changes.add(ChangeKind.EVERYTHING)
    return settings.enabled
