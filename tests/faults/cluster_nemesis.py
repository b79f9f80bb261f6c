"""What goes wrong in a cluster, and is put right again: one thing at a time, and sometimes two.

A fault is a context: it breaks something, says for how many seconds, and mends it. Each touches something
that no other kind does, so two kinds may overlap; of those that need a database that is whole there is one.
"""

import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import psycopg

from faults.cluster import Cluster, Member
from faults.recorder import now
from support.line import BACK, BOTH, THERE
from support.postgres import USER

Fault = Callable[[Cluster, random.Random], AbstractContextManager[float]]
TOGETHER = 0.3
"""How often two come at a time."""
COMMIT_SECONDS = 3.0
"""After which a server gives up a commit that is not answered."""
UNANSWERED_SECONDS = 12.0
"""In which a server gives up those of its connections on which no commit is answered."""


def _spell(cluster: Cluster, chance: random.Random) -> float:
    """Return for how long something is broken: sometimes shorter than the lease, often longer."""
    return chance.uniform(0.2, 2) * cluster.bound


@contextmanager
def killed(cluster: Cluster, chance: random.Random) -> Iterator[float]:
    """Somebody is killed, and started again a moment later."""
    member = chance.choice(cluster.members)
    member.door.kill()
    try:
        yield chance.uniform(0, 2)
    finally:
        cluster.revive(member)


@contextmanager
def stopped(cluster: Cluster, chance: random.Random) -> Iterator[float]:
    """Somebody stands still, and goes on as if nothing had been."""
    member = chance.choice(cluster.members)
    member.door.signal(signal.SIGSTOP)
    try:
        yield chance.uniform(0.5, 2 * cluster.bound)
    finally:
        member.door.signal(signal.SIGCONT)


def _ways(chance: random.Random) -> Sequence[str]:
    return chance.choice((BOTH, BOTH, (THERE,), (BACK,)))


@contextmanager
def _mending(member: Member) -> Iterator[None]:
    try:
        yield
    finally:
        member.line.mend()


def _apart(
    choose: Callable[[Cluster], Sequence[Member]], do: Callable[[Member, random.Random], None], *, spells: int = 1
) -> Fault:
    @contextmanager
    def fault(cluster: Cluster, chance: random.Random) -> Iterator[float]:
        member = chance.choice(choose(cluster))
        with _mending(member):
            do(member, chance)
            yield spells * _spell(cluster, chance)

    return fault


def _databases(cluster: Cluster) -> Sequence[Member]:
    return cluster.over_database


def _upstreams(cluster: Cluster) -> Sequence[Member]:
    return [each for each in cluster.members if each.is_upstream]


def _hold(member: Member, chance: random.Random) -> None:
    member.line.hold(_ways(chance))


def _lose(member: Member, chance: random.Random) -> None:
    member.line.lose(_ways(chance))


def _cut(member: Member, _: random.Random) -> None:
    member.line.cut()


def _slow(member: Member, chance: random.Random) -> None:
    member.line.slow(chance.choice((0.05, 0.2, 0.5, 0.7, 1.0, 5.0)))


def _late(member: Member, chance: random.Random) -> None:
    """Let each answer to a poll come late, and none too late."""
    member.line.slow(chance.uniform(0.4, 0.75))


@contextmanager
def slow_database(cluster: Cluster, chance: random.Random) -> Iterator[float]:
    """Everything that comes from the database, or goes to it, takes its time."""
    seconds = chance.choice((0.05, 0.1, 0.3, 1.0, 5.0))
    for member in cluster.over_database:
        member.line.slow(seconds)
    try:
        yield _spell(cluster, chance)
    finally:
        for member in cluster.over_database:
            member.line.mend()


@contextmanager
def moved(cluster: Cluster, chance: random.Random) -> Iterator[float]:
    """Somebody is led to another server, as by a load balancer."""
    member = chance.choice(_upstreams(cluster))
    member.line.lead(chance.choice(cluster.ports))
    yield 0


@contextmanager
def clock_set(cluster: Cluster, chance: random.Random) -> Iterator[float]:
    """The wall clock of one server is set, and put right."""
    assert cluster.clock is not None
    cluster.clock.shift(chance.choice((7200, -7200, 1, -1, 3, -3)))
    try:
        yield 2 + _spell(cluster, chance)
    finally:
        cluster.clock.shift(0)


@contextmanager
def locked(cluster: Cluster, chance: random.Random) -> Iterator[float]:
    """Somebody holds a lock on a table that everybody needs."""
    primary, table = cluster.pair.primary, chance.choice(("tokens", "users", "counters", "followers"))
    with psycopg.connect(primary.url(cluster.database, "postgres")) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield _spell(cluster, chance)
        connection.rollback()


@contextmanager
def crowded(cluster: Cluster, chance: random.Random) -> Iterator[float]:
    """Nearly all connections are taken by somebody else."""
    cluster.query(f"ALTER ROLE {USER} CONNECTION LIMIT {chance.randint(0, 4)}")
    cluster.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{USER}'")
    try:
        yield _spell(cluster, chance)
    finally:
        cluster.query(f"ALTER ROLE {USER} CONNECTION LIMIT -1")


@contextmanager
def frozen(cluster: Cluster, chance: random.Random) -> Iterator[float]:
    """The database stands still."""
    cluster.pair.primary.freeze()
    try:
        yield _spell(cluster, chance)
    finally:
        cluster.pair.primary.freeze(thaw=True)


@contextmanager
def without_standby(cluster: Cluster, chance: random.Random) -> Iterator[float]:
    """The standby is away, so that no commit is confirmed."""
    cluster.pair.standby.stop()
    try:
        yield _spell(cluster, chance)
    finally:
        cluster.pair.standby.start()
        cluster.pair.wait_for_standby()


@contextmanager
def crashed(cluster: Cluster, _: random.Random) -> Iterator[float]:
    """The database dies, and comes back by itself."""
    cluster.pair.primary.kill()
    cluster.pair.primary.start()
    try:
        yield 1
    finally:
        cluster.pair.wait_for_standby()


@contextmanager
def taken_over(cluster: Cluster, chance: random.Random) -> Iterator[float]:
    """The primary dies, the standby takes its place. The old one may come back, and one server goes on asking it.

    It may be that the standby was away just before, so that the primary had done what it could not confirm.
    """
    left = chance.choice([*cluster.over_database, None])
    was_away = chance.random() < 0.5
    if was_away:
        cluster.pair.standby.stop()
        time.sleep(chance.uniform(0.2, 1) * cluster.bound)
    cluster.pair.primary.kill()
    if was_away:
        cluster.pair.standby.start()
    time.sleep(chance.uniform(0, 1.5) * cluster.bound)
    old = cluster.pair.fail_over()
    cluster.lead_all(cluster.pair.primary, but=left)
    try:
        if left:
            old.start()
        yield chance.uniform(0.5, 2.5) * cluster.bound if left else 0
    finally:
        _replace(cluster, old.close)


@contextmanager
def deposed(cluster: Cluster, chance: random.Random) -> Iterator[float]:
    """The standby takes over while the primary is only cut off, but for one that still reaches it.

    It may be that only its connections from before do, and new ones lead to the new primary.
    """
    left = chance.choice(cluster.over_database)
    for member in cluster.over_database:
        if member is not left:
            member.line.cut()
    old = cluster.pair.fail_over()
    for member in cluster.over_database:
        if member is not left:
            member.line.lead(cluster.pair.primary.socket)
            member.line.mend()
    try:
        keep = chance.random() < 0.5
        if keep:
            left.line.lead(cluster.pair.primary.socket, keep=True)
        yield chance.uniform(1, 2.5) * cluster.bound + (UNANSWERED_SECONDS if keep else COMMIT_SECONDS)
    finally:
        _replace(cluster, old.close)


def _replace(cluster: Cluster, close: Callable[[], None]) -> None:
    """Let everybody reach the primary, and give it a standby in place of the old one."""
    cluster.lead_all(cluster.pair.primary)
    close()
    cluster.pair.rebuild()


FAULTS: Mapping[str, Fault] = {
    "killed": killed,
    "stopped": stopped,
    "database parted": _apart(_databases, _hold),
    "database half open": _apart(_databases, _lose),
    "database cut": _apart(_databases, _cut),
    "upstream parted": _apart(_upstreams, _hold),
    "upstream half open": _apart(_upstreams, _lose),
    "upstream cut": _apart(_upstreams, _cut),
    "upstream slow": _apart(_upstreams, _slow, spells=3),
    "upstream late": _apart(_upstreams, _late, spells=4),
    "upstream moved": moved,
    "database slow": slow_database,
    "clock set": clock_set,
    "locked": locked,
    "crowded": crowded,
    "frozen": frozen,
    "without standby": without_standby,
    "crashed": crashed,
    "taken over": taken_over,
    "deposed": deposed,
}
WHOLE = {"locked", "crowded", "frozen", "without standby", "crashed", "taken over", "deposed"}
"""Those that need a database that is whole."""
SETTING_LINES = {"database parted", "database half open", "database cut", "database slow", "deposed"}
SETTING_UPSTREAMS = {name for name in FAULTS if name.startswith("upstream") and name != "upstream moved"}
"""Those that mend the same lines: no two of them at a time."""
GROUPS = (WHOLE, SETTING_LINES, SETTING_UPSTREAMS)


@dataclass
class Nemesis:
    """Breaks and mends until the cluster is told to stop."""

    cluster: Cluster
    chance: random.Random
    every: float
    """Seconds between two faults, about."""
    kinds: Sequence[str] = tuple(FAULTS)
    counts: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    """What could not be done, or not mended."""

    def __post_init__(self) -> None:
        if self.cluster.clock is None:
            self.kinds = [kind for kind in self.kinds if kind != "clock set"]
        self._left: list[str] = []

    def run(self) -> None:
        """Do one after the other, each kind before any comes again."""
        while not self.cluster.stop.wait(self.chance.uniform(0.3, 1.2) * self.every):
            self.cluster.calm.clear()
            first = self._next()
            threads = [self._begin(first, 0)]
            second = self._next(beside=first) if self.chance.random() < TOGETHER else None
            if second:
                threads.append(self._begin(second, self.chance.uniform(0, self.cluster.bound)))
            for thread in threads:
                thread.join()
            self.cluster.calm.set()

    def _next(self, *, beside: str | None = None) -> str | None:
        if not self._left:
            self._left = self.chance.sample(self.kinds, len(self.kinds))
        apart = [group for group in (*GROUPS, {beside}) if beside in group]
        fits = [each for each in self._left if not any(each in group for group in apart)]
        if not fits:
            return None
        self._left.remove(fits[0])
        return fits[0]

    def _begin(self, kind: str, after: float) -> threading.Thread:
        chance = random.Random(self.chance.random())
        thread = threading.Thread(target=self._do, args=(kind, after, chance), name=kind)
        thread.start()
        return thread

    def _do(self, kind: str, after: float, chance: random.Random) -> None:
        if self.cluster.stop.wait(after):
            return
        self._note(kind, "begins")
        try:
            with FAULTS[kind](self.cluster, chance) as seconds:
                self.counts[kind] += 1
                self.cluster.stop.wait(seconds)
        except Exception as error:  # noqa: BLE001  told at the end: the run goes on
            self.troubles.append(f"{kind}: {type(error).__name__} {error}")
        self._note(kind, "is over")

    def _note(self, kind: str, what: str) -> None:
        line = {"at": now(), "fault": kind, "what": what}
        with (self.cluster.folder / "faults.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(time.strftime("%H:%M:%S"), kind, what, flush=True)
