"""A store whose writers are on other hosts too, followed: its words are a lease (`docs/explanation/revocation.md`).

While that lasts, what was looked up may be answered from memory. Without one nothing that the database says counts.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Protocol
from uuid import UUID

from gatepass.errors import GatepassError, Unavailable
from gatepass.interfaces import Followed, Store, Transaction, Verification, Verifications
from gatepass.model.change import Change
from gatepass.model.follower import OURSELVES, FollowerRecord
from gatepass.verifier.follower import Follower, Following
from gatepass.verifier.instance import instance_name
from gatepass.verifier.lease import Lease

_FIRST_SECONDS = 2.0
"""How long the database may take to say where it stands before the process begins without."""
_RENEWAL_SECONDS = 0.5
"""How long a look-up waits for a lease that is over to be renewed."""
_APART = 0.02
"""Seconds between two polls at least: under a storm of changes each brings many."""
_UNHINTED = 0.1
"""Seconds between two looks while no hint comes."""


@cache
def this_process() -> str:
    """Return how this process is told from others on the database."""
    return instance_name()


class Hints(Protocol):
    """What calls a function when something may have changed."""

    is_deaf: bool
    """Whether none comes at present."""

    def close(self) -> None:
        """End it."""
        ...


Listen = Callable[[Callable[[], None]], Hints]


class StoreChanges:
    """The changes of a store in a database on another host: the counter is asked, hints only say when."""

    def __init__(self, store: Store, listen: Listen) -> None:
        """Ask `store`; `listen` is told what to call for each hint."""
        self.instance = f"{this_process()}-{secrets.token_hex(2)}"
        """How this follower is told from others."""
        self._store = store
        self._hinted = threading.Event()
        self._hints = listen(self._hinted.set)
        self._closing = threading.Event()
        self._is_hurried = False
        self._signed_at = float("-inf")
        self._bound = 0.0

    def follow(self, after: int, epoch: str, *, wait: float) -> Followed:
        """Return what was committed after `after`, as soon as there is any; else after `wait` seconds."""
        signed_in = self._sign(after, epoch)
        deadline = time.monotonic() + wait
        while True:
            self._hinted.clear()
            found = self._read(after, epoch)
            if found.epoch != signed_in:
                # SECURITY: one that was deposed still reads, and another connection wrote us down in the new one.
                raise Unavailable("not all connections lead to the same database")
            left = deadline - time.monotonic()
            is_over = left <= 0 or self._is_hurried or self._closing.is_set()
            if (found.epoch, found.head) != (epoch, after) or is_over:
                self._is_hurried = False
                signed, self._bound = self._bound, found.bound
                return found._replace(bound=min(signed, found.bound))  # a longer one first has to be written down
            self._hinted.wait(min(left, _UNHINTED) if self._hints.is_deaf else left)

    def hurry(self) -> None:
        """Let a poll that is under way be answered now."""
        self._is_hurried = True
        self._hinted.set()

    def stop_following(self) -> None:
        """Let a poll that is under way end soon."""
        self._closing.set()
        self._hinted.set()

    def close(self) -> None:
        """Stop listening, and let no receipt wait for us. SECURITY: only when nothing is answered from memory."""
        self._hints.close()
        with suppress(GatepassError), self._store.write_uses() as tx:
            tx.followers.save([self._record(0, "", bound=0)])

    def _sign(self, after: int, epoch: str) -> str:
        """Write down that we ask; return the epoch of the database that has it.

        SECURITY: committed before anything is read. So whoever makes a change that we do not see yet finds us
        in the list; and a server that was deposed, whose standby confirms no commit any more, renews no lease.
        """
        if not self._bound:  # the first time nobody has told how long a lease is
            with self._store.read() as tx:
                self._bound = float(tx.settings.load().bound_seconds)
        pause = self._signed_at + _APART - time.monotonic()
        if pause > 0:
            self._closing.wait(pause)
        self._signed_at = time.monotonic()
        with self._store.write_uses() as tx:
            tx.followers.save([self._record(after, epoch, bound=self._bound)])
            return tx.changes.epoch()

    def _record(self, after: int, epoch: str, *, bound: float) -> FollowerRecord:
        return FollowerRecord(OURSELVES, self.instance, this_process(), "", epoch, after, bound)

    def _read(self, after: int, epoch: str) -> Followed:
        with self._store.read() as tx:
            current = tx.changes.epoch()
            changes = tx.changes.list_after(after) if epoch == current else None
            return Followed(current, tx.changes.head(), changes, float(tx.settings.load().bound_seconds))


class FollowedStore:
    """A store that blocks and shares no memory with its writers, with words that are a lease all the same."""

    answers_inline = False

    def __init__(self, store: Store, *, listen: Listen) -> None:
        """Follow `store`, in a thread, until this is closed."""
        self.lease = Lease()
        self._store = store
        self._follower = Follower(self.lease)
        self._changes = StoreChanges(store, listen)
        self._following = Following(self._follower, self._changes)
        self._following.wait_for_first(_FIRST_SECONDS)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a snapshot for reading."""
        with self._refusing() as read_in, self._store.read() as tx:
            read_in.append(tx.changes.epoch())
            yield tx
        self._require_lease(*read_in)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open the writing transaction; what it changes counts here when the block has been left."""
        with self._refusing() as read_in, self._store.write() as tx:
            read_in.append(tx.changes.epoch())
            yield tx
            # SECURITY: still under the lock of all writers, so nothing comes between these and ours.
            made = list(tx.changes.made)
            changes = tx.changes.list_after(min(self._follower.applied, made[0].revision - 1)) if made else None
        if made:
            self._follower.bring(changes, epoch=read_in[0])

    @contextmanager
    def _refusing(self) -> Iterator[list[str]]:
        """Let what is refused in the block count only as what is read in it does; it says in which epoch that was."""
        read_in: list[str] = []
        try:
            yield read_in
        except Unavailable:
            raise
        except GatepassError:
            # SECURITY: "unknown" or "deleted already" may be what a server that was deposed believes.
            self._require_lease(*read_in)
            raise

    @contextmanager
    def write_uses(self) -> Iterator[Transaction]:
        """Open a transaction beside the writing one."""
        with self._store.write_uses() as tx:
            yield tx

    def find_verification(self, token_id: UUID) -> Verification | None:
        """Return what judging one token needs."""
        return self.find_verifications([token_id]).found.get(token_id)

    def find_verifications(self, token_ids: Iterable[UUID]) -> Verifications:
        """Return what judging many tokens needs, and what it may be kept with."""
        life = self._follower.life
        found = self._store.find_verifications(token_ids)
        if found.head is None:
            self._require_lease()
            return found
        self._require_lease(found.head.epoch)
        stamp = self._follower.number_of(found.head.epoch, found.head.revision, life=life)
        return found._replace(stamp=stamp)

    def _require_lease(self, read_in: str | None = None) -> None:
        """Raise Unavailable where what was just read, in this epoch, may be long out of date.

        SECURITY: a lease is renewed by a commit. A server of PostgreSQL that was deposed still answers those who
        hang on it, and knows of nothing that was deleted since; but its standby confirms no commit any more.
        And what was read in one database is worth nothing by a lease of another.
        """
        if not self._vouches_for(read_in):
            self._changes.hurry()
            self._following.wait_for_next(_RENEWAL_SECONDS)
            if not self._vouches_for(read_in):
                raise Unavailable(f"no lease: {self._following.trouble or 'the database was not heard of lately'}")

    def _vouches_for(self, epoch: str | None) -> bool:
        return self.lease.is_fresh and epoch in {None, self._follower.epoch}

    @property
    def words(self) -> Sequence[int]:
        """Return the lease."""
        return self.lease

    def changes_after(self, revision: int) -> Sequence[Change] | None:
        """Return the changes after a number of the lease, as far as it goes."""
        return self._follower.changes_after(revision)

    def check(self) -> None:
        """Ask the store whether it answers, and whether what it says is worth anything."""
        self._store.check()
        self._require_lease()

    def check_integrity(self) -> Sequence[str]:
        """Ask the store to read everything."""
        return self._store.check_integrity()

    def close(self) -> None:
        """Stop following, with it the lease, and close the store."""
        self._following.close()
        self._changes.close()
        self._store.close()
