"""Who follows the changes here: how far each has come, until when it may answer from memory, and receipts of that.

In the memory of one server. After a start nobody is known yet, although verifiers that followed before
may still hold leases: until those are over, a receipt says so.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from gatepass.errors import InvalidInput, TooManyRequests
from gatepass.model.registered_verifier import RegisteredVerifier

MOST_INSTANCES = 500
"""Each holds a connection, and the others need some too."""
MOST_OF_ONE = 200
"""Processes of one registered verifier."""
_SHOWN_SECONDS = 600
"""An instance whose lease is over is listed this long."""
_INSTANCE = re.compile(r"\A[A-Za-z0-9._-]{1,64}\Z")


@dataclass(slots=True)
class Instance:
    """One process of a registered verifier. Times are seconds of the clock that counts suspension."""

    verifier_id: UUID
    name: str
    instance: str
    epoch: str
    acknowledged: int
    """All changes up to this revision count there."""
    heard_at: float
    lease_until: float
    """After this it answers nothing from memory, whatever happened to it."""
    bound: float
    acknowledged_at: float
    told_at: float | None = None
    """When the first change that it has not acknowledged was told."""
    lag: float | None = None
    """How many seconds the last change took there."""

    def has(self, epoch: str, revision: int) -> bool:
        """Tell whether a change counts there."""
        return self.epoch == epoch and self.acknowledged >= revision


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a change counts by now."""

    confirmed: int
    """Instances that acknowledged it."""
    of: int
    """Instances that could answer from memory when the change was made."""
    lease_ended: int
    """Those of them that did not, and whose lease has run out: they answer nothing from memory."""
    slowest: float
    """Seconds from the change to the last confirmation."""
    guaranteed: float
    """Seconds from the change after which it counts everywhere, whatever happens."""
    unknown: float
    """Seconds for which verifiers may hold leases that this server does not know of."""

    @property
    def is_complete(self) -> bool:
        """Tell whether no verifier can answer as if the change had not happened."""
        return self.confirmed + self.lease_ended == self.of and not self.unknown


class Followers:
    """All instances that were heard of. Used in the event loop, but for what says otherwise."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        unknown_seconds: float,
        note_lag: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Begin with nobody; those of an earlier server may hold leases for `unknown_seconds` more.

        `note_lag` hears how many seconds each change took to each instance.
        """
        self._clock = clock
        self._note_lag = note_lag
        self._known_from = clock() + unknown_seconds
        self._instances: dict[tuple[UUID, str], Instance] = {}
        self._heard: set[asyncio.Future[None]] = set()

    def hear(
        self, verifier: RegisteredVerifier, instance: str, *, epoch: str, acknowledged: int, bound: float
    ) -> Instance:
        """Take note of a poll that has just come in. To be called before anything is read for its reply.

        SECURITY: the reply may give a lease of `bound` seconds from when the poll was sent, which was
        before now; so it is over when `bound` seconds have passed here. Raises InvalidInput naming
        `instance`, TooManyRequests for too many of them.
        """
        if not _INSTANCE.match(instance):
            raise InvalidInput("instance", "must be 1 to 64 letters, digits, dots, dashes or underscores")
        now, key = self._clock(), (verifier.id, instance)
        known = self._instances.get(key)
        if known is None:
            self._make_room(verifier.id, now)
            known = Instance(verifier.id, verifier.name, instance, epoch, acknowledged, now, now, bound, now)
            self._instances[key] = known
        if (epoch, acknowledged) != (known.epoch, known.acknowledged):
            known.epoch, known.acknowledged, known.acknowledged_at = epoch, acknowledged, now
            if known.told_at is not None:
                known.lag, known.told_at = now - known.told_at, None
                self._note_lag(known.lag)
        known.heard_at, known.bound = now, bound
        known.lease_until = max(known.lease_until, now + bound)
        self._wake()
        return known

    def _wake(self) -> None:
        for future in self._heard:
            if not future.done():
                future.set_result(None)

    def leave(self, verifier: RegisteredVerifier, instance: str) -> None:
        """Take note that an instance has ended its lease and will not come again."""
        known = self._instances.pop((verifier.id, instance), None)
        if known is not None:
            known.lease_until = self._clock()  # whoever waits for it holds this very record
            self._wake()

    def count(self) -> int:
        """Return how many may answer from memory at present. To be called from any thread."""
        now = self._clock()
        return sum(each.lease_until > now for each in tuple(self._instances.values()))

    def heard_of(self, epoch: str, revision: int) -> tuple[int, int]:
        """Return how many have a change, and of how many that may answer from memory. To be called from any thread."""
        now = self._clock()
        live = [each for each in tuple(self._instances.values()) if each.lease_until > now]
        return sum(each.has(epoch, revision) for each in live), len(live)

    def told(self, instance: Instance) -> None:
        """Take note that changes are on their way there."""
        instance.told_at = self._clock()

    def list(self) -> list[Instance]:
        """Return the instances that are or lately were connected, by name. To be called from any thread."""
        oldest = self._clock() - _SHOWN_SECONDS
        found = [each for each in tuple(self._instances.values()) if each.lease_until >= oldest]
        return sorted(found, key=lambda each: (each.name, each.instance))

    def now(self) -> float:
        """Return the present moment, as the instances' times are told."""
        return self._clock()

    def remaining(self, instance: Instance) -> float:
        """Return for how many seconds it may answer from memory, if it hears nothing more."""
        return max(0.0, instance.lease_until - self._clock())

    async def receipt(self, epoch: str, revision: int, *, bound: float, made_at: float, seconds: float) -> Receipt:
        """Return where a change counts that was made at `made_at`: when it does everywhere, or after `seconds`."""
        watched = [each for each in self._instances.values() if each.lease_until > made_at]
        # Leases may be longer than the bound: by a grace, or because the bound was lowered a moment ago.
        ends = [each.lease_until for each in watched]
        guaranteed = max(
            [bound, *(each.bound for each in watched), *(end - made_at for end in [*ends, self._known_from])]
        )
        deadline = made_at + seconds
        slowest = 0.0
        waiting = watched
        while True:
            now = self._clock()
            # Looked at each time somebody is heard, so that a later change does not count for this one.
            confirmed = [each for each in waiting if each.has(epoch, revision)]
            slowest = max([slowest, *(each.acknowledged_at - made_at for each in confirmed)])
            waiting = [each for each in waiting if not each.has(epoch, revision)]
            receipt = Receipt(
                confirmed=len(watched) - len(waiting),
                of=len(watched),
                lease_ended=sum(each.lease_until <= now for each in waiting),
                slowest=slowest,
                guaranteed=guaranteed,
                unknown=max(0.0, self._known_from - now),
            )
            if receipt.is_complete or now >= deadline:
                return receipt
            ends = [each.lease_until for each in waiting if each.lease_until > now]
            until = min([deadline, *ends, *([self._known_from] if self._known_from > now else [])])
            await self._hear_something(until - now)

    async def _hear_something(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._heard.add(future)
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            self._heard.discard(future)

    def _make_room(self, verifier_id: UUID, now: float) -> None:
        """Raise TooManyRequests if there are too many whose leases last."""
        self._forget(now)
        live = [each for each in self._instances.values() if each.lease_until > now]
        of_one = [each for each in live if each.verifier_id == verifier_id]
        if len(live) >= MOST_INSTANCES or len(of_one) >= MOST_OF_ONE:
            raise TooManyRequests("too many instances of verifiers follow already", retry_after=5)

    def _forget(self, now: float) -> None:
        for key in [key for key, each in self._instances.items() if each.lease_until + _SHOWN_SECONDS < now]:
            del self._instances[key]
