"""Read from the directories how their people are: who is gone, disabled or without the group is disabled here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gatepass.errors import Unavailable
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.identity import Identity, Refusal, Refused
from gatepass.model.user import User
from gatepass.services.deps import Deps
from gatepass.services.read_user import ask, note_outage, note_told

_BATCH = 100
_SUSPICIOUS = 10
"""When so many at once, and nobody else, are gone, it is the directory that went."""


@dataclass(slots=True)
class Reading:
    """What came of one reading."""

    read: int = 0
    disabled: int = 0
    enabled: int = 0
    out_of_reach: dict[str, str] = field(default_factory=dict)
    """Providers that could not be asked, and why."""
    silent: dict[str, str] = field(default_factory=dict)
    """Providers that answered, but not about everybody, and why."""


def read_directories(deps: Deps, *, next_in: timedelta = timedelta(0)) -> Reading:
    """Ask about everybody whom their directory was not asked about for as long as is stated. Blocks meanwhile.

    Those too for whom it would be later than that when this is called again, in `next_in`.

    While a directory is out of reach its last word holds for the stated grace; who is past it is disabled, and
    enabled again when the directory is back and still has them. So it is of somebody about whom it does not answer.
    """
    reading = Reading()
    for configured in deps.providers.values():
        if configured.directory is not None:
            since = deps.clock.now() - timedelta(seconds=configured.read_every_seconds) + next_in
            _read(deps, configured, since, reading)
    return reading


def _read(deps: Deps, configured: ConfiguredProvider, since: datetime, reading: Reading) -> None:
    for batch in _batches(deps, configured.id, since):
        told = _told(configured, batch, reading)
        for user in batch:
            answer = told.get(user.id)
            if answer is None:
                after = note_outage(deps, configured, user)
            else:
                after = note_told(deps, configured, user, answer)
                reading.read += 1
            if after is not None:
                reading.disabled += user.is_live and not after.is_live
                reading.enabled += after.is_live and not user.is_live


def _batches(deps: Deps, provider_id: str, since: datetime) -> Iterator[Sequence[User]]:
    after = None
    while True:
        with deps.store.read() as tx:
            batch = tx.users.list_unchecked(provider_id, since=since, after=after, limit=_BATCH)
        if not batch:
            return
        yield batch
        after = batch[-1].id


def _told(configured: ConfiguredProvider, batch: Sequence[User], reading: Reading) -> dict[object, Identity | Refused]:
    """Return what the directory says of each of some people, by id; nothing of those it says nothing about."""
    told: dict[object, Identity | Refused] = {}
    if configured.id in reading.out_of_reach:
        return told
    trouble: Unavailable | None = None
    for user in batch:
        # SECURITY: one person whom the directory does not show must not end all the others.
        try:
            told[user.id] = ask(configured, user)
        except Unavailable as error:
            trouble = error
    if trouble is not None:
        (reading.silent if told else reading.out_of_reach)[configured.id] = str(trouble)
    gone = [each for each in told.values() if isinstance(each, Refused) and each.reason is Refusal.GONE]
    # SECURITY: a base that was renamed, or a searching account that may read no more, empties a directory too.
    # Then its last word holds for the grace, and not one moment longer.
    if len(gone) >= _SUSPICIOUS and len(gone) == len(told):
        reading.out_of_reach[configured.id] = "the directory shows nobody any more"
        return {}
    return told
