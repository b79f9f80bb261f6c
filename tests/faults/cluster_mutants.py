"""Mistakes that only show where several machines share what is true. As in `mutants.py`, each replaces functions.

Some are those of the simulation, in real processes here.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from gatepass.followed import FollowedStore, StoreChanges
from gatepass.verifier.follower import Follower
from gatepass.verifier.lease import Lease

LATE_SECONDS = 4.0


def lease_ignored() -> None:
    """Memory is answered from however long ago the source was heard of."""

    Lease.holds = lambda self, number, now: number == self._state[0]


def lease_on_receive() -> None:
    """The lease counts from when the answer came."""
    plain = Follower.take

    def take(self: Follower, question: Any, found: Any) -> None:
        question.sent_at = self.words.clock.moment()
        plain(self, question, found)

    Follower.take = take


def renewed_unapplied() -> None:
    """A reply renews the lease at once; what it brings is applied by somebody else, who is busy."""
    plain = Follower.take

    def take(self: Follower, question: Any, found: Any) -> None:
        if not found.changes or found.epoch != question.epoch:
            plain(self, question, found)
            return
        self.words.renew(question.sent_at, self._base + self._applied, bound=found.bound)
        since = self.__dict__.setdefault("late_since", time.monotonic())
        if time.monotonic() - since > LATE_SECONDS:
            del self.__dict__["late_since"]
            plain(self, question, found)
        else:
            threading.Event().wait(0.2)

    Follower.take = take


def own_change_late() -> None:
    """What a server changed itself counts there when it hears of it, as everywhere."""
    plain = Follower.bring

    def bring(self: Follower, changes: Any, **facts: Any) -> None:
        threading.Timer(0.5, plain, (self, changes), facts).start()

    Follower.bring = bring


def unsigned() -> None:
    """Whoever asks for changes is not written down first: a primary that was deposed renews leases."""

    def sign(self: StoreChanges, after: int, epoch: str) -> str:
        self._closing.wait(0.02)
        with self._store.read() as tx:
            self._bound = float(tx.settings.load().bound_seconds)
            return tx.changes.epoch()

    StoreChanges._sign = sign


def believed_without_lease() -> None:
    """What the database says counts, whoever it is by now."""
    FollowedStore._require_lease = lambda self, *_: None


def any_database() -> None:
    """What is read in one database counts by a lease of another.

    Connections to a host in doubt are kept: otherwise they are gone before anybody meets both databases.
    """
    from gatepass.stores.sql.hosts import Hosts  # it brings the driver

    Hosts.is_current = lambda self, _: True
    FollowedStore._vouches_for = lambda self, _: self.lease.is_fresh


MUTANTS: Mapping[str, Callable[[], None]] = {
    mutant.__name__: mutant
    for mutant in (
        lease_ignored,
        lease_on_receive,
        renewed_unapplied,
        own_change_late,
        unsigned,
        believed_without_lease,
        any_database,
    )
}
