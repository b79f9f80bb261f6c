"""One run of a cluster under load and faults, and what the oracle says of it."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faults.cluster import NODE, Cluster
from faults.cluster_load import ClusterLoad, Pace
from faults.cluster_nemesis import FAULTS, Nemesis
from faults.launch import NONE
from faults.load import ask_about
from faults.one_host import final_of, leaks
from faults.oracle import SECOND, Call, Final, Finding, check
from faults.recorder import read_history
from faults.vacuity import Measures, measure

SLACK = 5_000_000
"""How far the clocks of clients and the moment of a call may be apart, in ns."""
ASKED_AT_LAST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is made of. Times in seconds."""

    seconds: float
    bound: int = 2
    seed: int = 1
    every: float = 6
    """Between two faults, about."""
    kinds: Sequence[str] = tuple(FAULTS)
    mutant: str = NONE
    pace: Pace = field(default_factory=Pace)
    people: int = 4
    nodes: int = 3
    remotes: int = 3
    has_clock: bool = True
    is_synchronous: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    plan: Plan
    findings: list[Finding]
    measures: Measures
    calls: Sequence[Call]
    faults: Counter[str]
    troubles: list[str]
    """Faults that could not be done, or not be mended."""
    leaks: list[str]
    """Files of the recording that hold the value of a token, which none may."""

    def summary(self) -> str:
        """Say what was done and what came of it."""
        kinds = Counter(call.op for call in self.calls)
        outcomes = Counter(f"{call.op} {call.outcome}" for call in self.calls)
        latest, bound = self.measures.latest / SECOND, self.plan.bound
        return "\n".join(
            [
                f"calls: {len(self.calls)}: " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()),
                "outcomes: " + ", ".join(f"{kind} {count}" for kind, count in sorted(outcomes.items())),
                f"deletions acknowledged: {outcomes['delete ok']}",
                f"wrong answers: {len(self.findings)}",
                f"worst acceptance after an acknowledged deletion: {latest:.3f} s of {bound} s ({latest / bound:.0%})",
                f"unanswered: {self.measures.unanswered:.1%} of {self.measures.verdicts} questions",
                f"kills {self.measures.kills}, asked soon {self.measures.soon}, at the same time {self.measures.overlaps}",
                "doors: " + ", ".join(sorted(self.measures.doors)),
                f"faults: {self.faults.total()}: "
                + ", ".join(f"{kind} {count}" for kind, count in sorted(self.faults.items())),
                "troubles: " + ("; ".join(self.troubles) or "none"),
            ]
        )


def run(folder: Path, plan: Plan) -> Outcome:
    """Run the plan in an empty folder and judge what was recorded."""
    cluster = Cluster(
        folder,
        bound=plan.bound,
        mutant=plan.mutant,
        nodes=plan.nodes,
        remotes=plan.remotes,
        has_clock=plan.has_clock,
        is_synchronous=plan.is_synchronous,
    )
    try:
        cluster.start()
        load = ClusterLoad(cluster, plan.pace, plan.seed)
        load.prepare(plan.people)
        nemesis = Nemesis(cluster, random.Random(plan.seed), plan.every, plan.kinds)
        _disturb(cluster, load, nemesis, plan.seconds)
        final = _finish(cluster, load)
    finally:
        cluster.close()
    calls = read_history(cluster.history)
    found = check(calls, final, bound=plan.bound * SECOND + SLACK)
    return Outcome(plan, found, measure(calls), calls, nemesis.counts, nemesis.troubles, leaks(cluster.history))


def _disturb(cluster: Cluster, load: ClusterLoad, nemesis: Nemesis, seconds: float) -> None:
    threads = [*load.start(), threading.Thread(target=nemesis.run)]
    threads[-1].start()
    try:
        time.sleep(seconds)
    finally:
        cluster.stop.set()
        for thread in threads:
            thread.join()


def _finish(cluster: Cluster, load: ClusterLoad) -> Final:
    """Wait until everybody is well and the bound is over, ask every door about every token, and read what is stored."""
    cluster.require_well()
    time.sleep(cluster.bound + 1)
    recorder, last = load.recorder("final"), cluster.known[-ASKED_AT_LAST:]
    for number, asker in enumerate(cluster.askers):
        for token in last:
            asker.tell(id=token.id, value=token.value)
        asker.finish(cluster.folder / f"done-{number}")
    for door in cluster.http:
        for token in last:
            ask_about(recorder, token, door)
    for node in cluster.of(NODE):
        node.door.server.stop()
    return final_of(cluster.query, frozenset(load.strangers))
