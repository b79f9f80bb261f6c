"""What is promised of several machines, held against everything that breaks between them.

PostgreSQL with a standby, servers, and verifiers of every kind run as processes; `cluster_nemesis.py` breaks
them and what is between them. Clients record what they were told, and the oracle must find nothing.
`GATEPASS_SOAK_SECONDS` says for how long; a run that is longer than ten minutes has the bound that is the default.
"""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from faults.cluster import NODE, Cluster
from faults.cluster_load import Pace
from faults.cluster_mutants import MUTANTS
from faults.cluster_nemesis import FAULTS
from faults.cluster_run import Outcome, Plan, run
from faults.history import OWN, send
from faults.oracle import SECOND
from faults.vacuity import Least
from support.waiting import poll

pytestmark = [pytest.mark.xdist_group("postgres"), pytest.mark.long]

SECONDS = int(os.environ.get("GATEPASS_SOAK_SECONDS", "300"))
SEED = int(os.environ.get("GATEPASS_SOAK_SEED", "1"))
LONG_SECONDS = 600
WHOLE = Plan(seconds=SECONDS, seed=SEED)
HELD = replace(WHOLE, bound=5, every=15, pace=Pace(create=1, delete=4, switch=8, ask=0.5, stalk=0.35))
NEAR = 0.2
"""A run that accepted nothing later than this part of the bound has tested nothing."""


@pytest.mark.timeout(2 * SECONDS + 1200)
def test_what_was_answered_holds_whatever_breaks(tmp_path: Path) -> None:
    plan = HELD if SECONDS >= LONG_SECONDS else WHOLE
    outcome = run(tmp_path, plan)
    print(outcome.summary())
    require_nothing_found(outcome)
    least = Least(
        kills=SECONDS // 6,
        soon=SECONDS // 2,
        overlaps=SECONDS // 4,
        doors=11,
        latest=NEAR * plan.bound * SECOND,
    )
    assert outcome.measures.lacking(least) == []
    assert outcome.troubles == []
    assert set(outcome.faults) == set(FAULTS) or SECONDS < LONG_SECONDS


def require_nothing_found(outcome: Outcome) -> None:
    assert [str(finding) for finding in outcome.findings[:20]] == []
    assert outcome.leaks == []


QUICK = Plan(
    seconds=25,
    bound=1,
    every=2,
    has_clock=False,
    nodes=2,
    remotes=2,
    pace=Pace(create=0.2, delete=0.5, switch=2, feature=0, ask=0.15, stalk=0.15, most=16),
)
APART = ("database parted", "database half open")
DEPOSED = replace(QUICK, seconds=40, every=1, kinds=("deposed",))
PLANS = {
    "lease_ignored": replace(QUICK, seconds=40, every=0.5, kinds=APART),
    "lease_on_receive": replace(QUICK, seconds=40, every=1, kinds=("upstream late",)),
    "renewed_unapplied": replace(QUICK, kinds=("upstream moved",)),
    "own_change_late": replace(QUICK, kinds=("upstream moved",)),
    "unsigned": DEPOSED,
    "believed_without_lease": DEPOSED,
    "any_database": replace(DEPOSED, seconds=80),
}
TRIES = 3


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_oracle_finds_the_mistake(mutant: str, tmp_path: Path) -> None:
    for seed in range(TRIES):
        folder = tmp_path / str(seed)
        folder.mkdir()
        outcome = run(folder, replace(PLANS[mutant], mutant=mutant, seed=seed))
        print(outcome.summary())
        if {finding.rule for finding in outcome.findings} & {"R2", "R3"}:
            return
    pytest.fail(f"not found in {TRIES} runs")


@pytest.mark.timeout(900)
def test_a_standby_that_confirms_nothing_loses_what_was_acknowledged(tmp_path: Path) -> None:
    plan = replace(QUICK, seconds=40, every=1, kinds=("taken over",), is_synchronous=False)
    for seed in range(TRIES):
        folder = tmp_path / str(seed)
        folder.mkdir()
        outcome = run(folder, replace(plan, seed=seed))
        if {finding.rule for finding in outcome.findings} & {"R2", "R4", "R6"}:
            return
    pytest.fail(f"not found in {TRIES} runs")


@pytest.mark.timeout(300)
def test_a_killed_primary_loses_nothing_and_brings_nobody_back(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, bound=3, nodes=2, remotes=1, has_clock=False)
    try:
        cluster.start()
        first, second = (node.door.server for node in cluster.of(NODE))
        servers = [first, second, *(door.server for door in cluster.http if door.command == "verifier")]
        master, _ = first.create_token(lifetimeSeconds=-1)
        made = [first.create_token(lifetimeSeconds=-1) for _ in range(4)]
        for _, info in made[:2]:
            assert first.request("DELETE", f"{OWN}/{info['tokenId']}", bearer=master).status == 204
        values = [value for value, _ in made]
        expected = [401, 401, 200, 200]

        def said() -> set[tuple[int | None, ...]]:
            replies = [[send(each, "GET", "/verify", value, seconds=5) for value in values] for each in servers]
            return {tuple(reply and reply.status for reply in of) for of in replies}

        poll(lambda: said() == {tuple(expected)})
        killed_at = time.monotonic()
        cluster.pair.primary.kill()
        assert said() <= {tuple(expected)} or time.monotonic() - killed_at > 2
        poll(lambda: said() == {(503, 503, 503, 503)}, seconds=30)
        assert send(first, "POST", OWN, master, {"lifetimeSeconds": -1}).status == 503
        old = cluster.pair.fail_over()
        cluster.lead_all(cluster.pair.primary)
        poll(lambda: said() == {tuple(expected)}, seconds=30)
        assert second.request("POST", OWN, {"lifetimeSeconds": -1}, bearer=master).status == 201
        assert second.request("DELETE", f"{OWN}/{made[2][1]['tokenId']}", bearer=master).status == 204
        old.close()
        cluster.pair.rebuild()
        expected[2] = 401
        poll(lambda: said() == {tuple(expected)})
    finally:
        cluster.close()
