"""Repeat what the revocation journal says and the database lacks: after a restore, or a crash before a commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gatepass.interfaces import Transaction
from gatepass.model.actor import SYSTEM
from gatepass.model.change import ChangeKind
from gatepass.model.event import (
    Event,
    JournalReplayed,
    SettingsChanged,
    TokenDeleted,
    UserDeleted,
    UserDisabled,
    VerifierRemoved,
)
from gatepass.model.journal import Fate, JournalRecord, Replayed
from gatepass.services.record_event import record_event

_UNDOES = {Fate.USER_LIVE: Fate.USER_DISABLED, Fate.TOKENS_ON: Fate.TOKENS_OFF}


def replay_journal(tx: Transaction, records: Sequence[JournalRecord], *, now: datetime) -> Replayed:
    """End what the records leave ended and `tx` has alive; return how much that was.

    Nothing is brought to life: a record of a life only takes back an earlier record of its end. Dates are
    those of the records. Each ending has its audit record, and all together have one.
    """
    done = dict.fromkeys(_ENDINGS, 0)
    for (fate, subject), at in _ended(records).items():
        event = _ENDINGS[fate](tx, subject, at)
        if event is not None:
            record_event(tx, SYSTEM, event, now=now)
            done[fate] += 1
    lacking = Replayed(
        tokens=done[Fate.TOKEN_DELETED],
        disabled=done[Fate.USER_DISABLED],
        deleted=done[Fate.USER_DELETED],
        verifiers=done[Fate.VERIFIER_REMOVED],
        switched_off=done[Fate.TOKENS_OFF] > 0,
    )
    if not lacking.is_nothing:
        record_event(tx, SYSTEM, _summary(lacking, records), now=now)
    return lacking


def _ended(records: Sequence[JournalRecord]) -> Mapping[tuple[Fate, UUID | None], datetime]:
    """Return what the records leave ended, and since when."""
    ended: dict[tuple[Fate, UUID | None], datetime] = {}
    for record in records:
        for fate, subject in record.entries:
            if fate.is_life:
                ended.pop((_UNDOES[fate], subject), None)
            else:
                ended.setdefault((fate, subject), record.at)
    return ended


def _summary(lacking: Replayed, records: Sequence[JournalRecord]) -> Event:
    return JournalReplayed(
        first_record=records[0].number,
        last_record=records[-1].number,
        tokens=lacking.tokens,
        disabled=lacking.disabled,
        deleted=lacking.deleted,
        verifiers=lacking.verifiers,
        switched_off=lacking.switched_off,
    )


def _revoke(tx: Transaction, subject: UUID | None, at: datetime) -> Event | None:
    token = tx.tokens.find(subject) if subject else None
    if token is None or not tx.tokens.revoke(token.id, at):
        return None
    tx.changes.add(ChangeKind.TOKEN, token.id)
    return TokenDeleted(subject_id=token.id, owner_id=token.owner_id, description=token.description)


def _disable(tx: Transaction, subject: UUID | None, at: datetime) -> Event | None:
    user = tx.users.find(subject) if subject else None
    if user is None or not user.is_live:
        return None
    tx.users.update(replace(user, disabled_at=at, updated_at=at))
    tx.sessions.remove_of(user.id)
    tx.devices.remove_of(user.id)
    tx.changes.add(ChangeKind.OWNER, user.id)
    return UserDisabled(subject_id=user.id, owner_id=user.id)


def _delete(tx: Transaction, subject: UUID | None, at: datetime) -> Event | None:
    user = tx.users.find(subject) if subject else None
    if user is None:
        return None
    tx.sessions.remove_of(user.id)
    tx.devices.remove_of(user.id)
    tx.users.set_password(user.id, None)
    tx.users.update(replace(user, deleted_at=at, updated_at=at))
    tx.changes.add(ChangeKind.OWNER, user.id)
    return UserDeleted(subject_id=user.id, owner_id=user.id, email=user.email)


def _remove(tx: Transaction, subject: UUID | None, at: datetime) -> Event | None:
    verifier = tx.verifiers.find(subject) if subject else None
    if verifier is None or not tx.verifiers.remove(verifier.id, at):
        return None
    tx.changes.add(ChangeKind.VERIFIER, verifier.id)
    return VerifierRemoved(subject_id=verifier.id, name=verifier.name)


def _switch_off(tx: Transaction, _: UUID | None, __: datetime) -> Event | None:
    settings = tx.settings.load()
    if not settings.enabled:
        return None
    tx.settings.save(replace(settings, enabled=False))
    tx.changes.add(ChangeKind.EVERYTHING)
    return SettingsChanged(changes={"apiAccessTokens.enabled": [True, False]})


_ENDINGS: Mapping[Fate, Callable[[Transaction, UUID | None, datetime], Event | None]] = {
    Fate.TOKEN_DELETED: _revoke,
    Fate.USER_DISABLED: _disable,
    Fate.USER_DELETED: _delete,
    Fate.VERIFIER_REMOVED: _remove,
    Fate.TOKENS_OFF: _switch_off,
}
"""How each fate is met; what returns None was so already, or is nothing that this database knows."""
