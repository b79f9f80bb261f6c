"""Mistakes that somebody could make, one for each row of the table in `docs/explanation/revocation.md`.

Each replaces a function of the product, or of the store and the servers that are simulated around it.
"""

from collections.abc import Callable, Mapping
from copy import copy
from hashlib import sha256
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from gatepass.errors import Unavailable
from gatepass.interfaces import Followed
from gatepass.model.change import Change, ChangeKind
from gatepass.services.judge_elsewhere import Judged
from gatepass.verifier import verifier
from gatepass.verifier.cache import Cache
from gatepass.verifier.follower import Follower
from gatepass.verifier.lease import Lease
from gatepass.verifier.verifier import Verifier
from simulation import server, store
from simulation.node import Node
from simulation.server import Server
from simulation.store import BOUND, State, Store

Patch = pytest.MonkeyPatch
TTL = 30.0
REPLICA_SECONDS = 0.7
STANDBY_SECONDS = 0.15


def ttl_only(patch: Patch) -> None:
    """What is in memory counts for half a minute, whatever has changed."""
    plain, put = Cache.find, Cache.put

    def find(self: Cache, digest: bytes, now: float) -> Any:
        kept, until = self.__dict__.setdefault("kept", {}).get(digest, (None, 0))
        return kept if now < until else plain(self, digest, now)

    def keep(self: Cache, digest: bytes, verdict: Any, **facts: Any) -> Any:
        found = put(self, digest, verdict, **facts)
        self.__dict__.setdefault("kept", {})[digest] = found, facts["now"] + TTL
        return found

    patch.setattr(Cache, "find", find)
    patch.setattr(Cache, "put", keep)


def short_key(patch: Patch) -> None:
    """The key of the memory is cut to one byte."""
    find, put = Cache.find, Cache.put

    def short(text: bytes) -> SimpleNamespace:
        return SimpleNamespace(digest=lambda: sha256(text).digest()[:1])

    patch.setattr(verifier, "sha256", short)
    patch.setattr(Cache, "find", lambda self, digest, now: find(self, digest[:1], now))
    patch.setattr(Cache, "put", lambda self, digest, verdict, **facts: put(self, digest[:1], verdict, **facts))


def replica_read(patch: Patch) -> None:
    """Look-ups are made in a replica that is behind, at the revision of the primary."""

    def judge(self: Store, presented: Any) -> Judged:
        old = state_before(self, REPLICA_SECONDS)
        return Judged(str(self.state.epoch), self.state.head, [old.judge(each) for each in presented])

    patch.setattr(Store, "judge", judge)


def state_before(self: Store, seconds: float) -> State:
    """Return what was stored so long ago."""
    return next(state for at, state in reversed(self.past) if at <= max(0.0, self.world.now - seconds))


def feed_gap(patch: Patch) -> None:
    """Revisions are drawn when a transaction begins, and seen when it commits: some are seen out of order."""

    def commit(self: Server, work: store.Work) -> Any:
        def draw(reply: Callable[[Any], None]) -> None:
            kept = self.link.store
            number = kept.__dict__["drawn"] = kept.__dict__.get("drawn", 0) + 1
            late = kept.world.random.choice((0, 0, 0.04, 0.9))
            kept.world.at(late, lambda: reply(show(kept, work, number)))

        return self.link.ask(draw, seconds=server.STORE_SECONDS)

    def show(self: Store, work: store.Work, number: int) -> Any:
        state = copy(self.state)
        change = work(state)
        if change is None:
            return None
        seen = (*state.changes, Change(number, change.kind, change.subject_id))
        state.changes = tuple(sorted(seen, key=lambda each: each.revision))
        state.head = max(state.head, number)
        self.put(state)
        return state.epoch, number

    def follow(self: Store, after: int, epoch: str) -> Followed:
        state = self.state
        found = [each for each in state.changes if each.revision > after]
        return Followed(str(state.epoch), state.head, found if epoch == str(state.epoch) else None, BOUND)

    patch.setattr(Server, "commit", commit)
    patch.setattr(Store, "follow", follow)


def ack_early(patch: Patch) -> None:
    """A change is acknowledged before it is committed."""
    plain = Store.write

    def write(self: Store, work: store.Work) -> Any:
        self.world.at(self.world.random.choice((0, 0.3)), plain, self, work)
        return self.state.epoch, self.state.head

    patch.setattr(Store, "write", write)


def stale_put(patch: Patch) -> None:
    """What was looked up is kept as of the moment it came, not of that at which it was read."""
    plain = Cache.put

    def put(self: Cache, digest: bytes, verdict: Any, *, stamp: int | None, now: float) -> Any:
        return plain(self, digest, verdict, stamp=self.stamp(), now=now)

    patch.setattr(Cache, "put", put)


def neg_forever(patch: Patch) -> None:
    """What was refused once stays refused."""
    plain = Cache.find

    def find(self: Cache, digest: bytes, now: float) -> Any:
        refusal = self._refusals.get(digest)
        return refusal.verdict if refusal else plain(self, digest, now)

    patch.setattr(Cache, "find", find)


def no_tombstone(patch: Patch) -> None:
    """A creation that comes after the deletion of its token brings the token back."""
    plain = server.create

    def create(token: UUID, row: store.Row) -> store.Work:
        def work(state: State) -> Change | None:
            state.dead -= {token}
            return plain(token, row)(state)

        return work

    patch.setattr(server, "create", create)


def async_failover(patch: Patch) -> None:
    """A commit does not wait for the standby."""
    patch.setattr(Store, "standby", lambda self: state_before(self, STANDBY_SECONDS + self.__dict__["outage"]))
    plain = Store.fail_over

    def fail_over(self: Store, seconds: float) -> None:
        self.outage = seconds
        plain(self, seconds)

    patch.setattr(Store, "fail_over", fail_over)


def no_gap(patch: Patch) -> None:
    """Changes that did not come are taken for changes of nothing."""
    plain = Follower.take

    def take(self: Follower, question: Any, found: Any) -> None:
        told = {each.revision: each for each in found.changes or ()}
        wanted = range(question.after + 1, found.head + 1)
        filled = [told.get(each) or Change(each, ChangeKind.TOKEN, UUID(int=each)) for each in wanted]
        plain(self, question, found._replace(changes=filled) if found.epoch == question.epoch else found)

    patch.setattr(Follower, "take", take)


def fail_open(patch: Patch) -> None:
    """While the source is away, memory is trusted, however old it is."""
    plain = Verifier.fetch

    def fetch(self: Verifier, presented: Any) -> Any:
        try:
            return plain(self, presented)
        except Unavailable:
            kept = self._cache
            found = [kept.young.get(each.digest) or kept._old.get(each.digest) for each in presented]
            if not all(found):
                raise
            return found

    patch.setattr(Verifier, "fetch", fetch)


def create_race(patch: Patch) -> None:
    """Whether the owner may create is looked at before the transaction that creates."""

    def create(self: Server, token: UUID, row: store.Row) -> Any:
        def work(state: State) -> Change | None:
            enabled, off = state.enabled, state.off
            state.enabled, state.off = True, frozenset()
            done = store.create(token, row)(state)
            state.enabled, state.off = enabled, off
            return done

        may = self.link.call(lambda: store.may_create(self.link.store.state, row.owner))
        return self.change(work) if may else None

    patch.setattr(Server, "create", create)


def warm_restart(patch: Patch) -> None:
    """What an earlier process knew counts after a restart."""
    plain = Node.start

    def start(self: Node) -> None:
        known = self.__dict__.get("verifier")
        plain(self)
        if known is not None:
            old = known._cache
            for name in ("young", "_old", "_refusals", "_applied", "_changed", "_floor"):
                setattr(self.verifier._cache, name, getattr(old, name))
            saved = self.saved
            self.follower._base, self.follower._epoch = saved._base, saved._epoch
            self.follower._applied, self.follower._bound = saved._applied, saved._bound
            self.lease.renew(self.lease.clock.moment(), old.words[1], bound=BOUND)
        self.saved = self.follower

    patch.setattr(Node, "start", start)


def wall_lease(patch: Patch) -> None:
    """The lease is counted on the wall clock."""

    def holds(self: Lease, number: int, now: float) -> bool:
        current, _, wall = self._state
        return number == current and now < wall

    patch.setattr(Lease, "holds", holds)


def lease_on_receive(patch: Patch) -> None:
    """The lease counts from when the answer came."""
    plain = Follower.take

    def take(self: Follower, question: Any, found: Any) -> None:
        question.sent_at = self.words.clock.moment()
        plain(self, question, found)

    patch.setattr(Follower, "take", take)


def old_put(patch: Patch) -> None:
    """An answer that was read earlier replaces one that was read later."""
    patch.setattr(Cache, "_is_overtaken", lambda *_: False)


def early_receipt(patch: Patch) -> None:
    """The reply to a poll is taken for its acknowledgement."""
    plain = Server.read

    def read(self: Server, after: int, epoch: str) -> Followed:
        found = plain(self, after, epoch)
        for each in self.followers.list():
            if each.has(epoch, after):
                each.acknowledged = max(each.acknowledged, found.head)
        return found

    patch.setattr(Server, "read", read)


MUTANTS: Mapping[str, Callable[[Patch], None]] = {
    mutant.__name__: mutant
    for mutant in (
        ttl_only,
        short_key,
        replica_read,
        feed_gap,
        ack_early,
        stale_put,
        neg_forever,
        no_tombstone,
        async_failover,
        no_gap,
        fail_open,
        create_race,
        warm_restart,
        wall_lease,
        lease_on_receive,
        old_put,
        early_receipt,
    )
}
