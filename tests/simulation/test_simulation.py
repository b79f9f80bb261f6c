"""What was acknowledged holds everywhere within the bound, whatever happens: many seeds, no finding.

The product's own verifier, cache, lease, follower and client of servers run in virtual time.
"""

import os
import subprocess
import sys
from hashlib import sha256

import pytest

from simulation.directed import DIRECTED
from simulation.nemesis import FAULTS
from simulation.run import Plan, run
from simulation.store import BOUND
from simulation.sweep import Result, play

SOAK = bool(os.environ.get("GATEPASS_SOAK"))
SEEDS = 2_000 if SOAK else 100
CHUNKS = 10
SIZE = SEEDS // CHUNKS
PLAN = Plan(seconds=12 if SOAK else 8)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_was_acknowledged_holds_everywhere_within_the_bound(chunk: int) -> None:
    results = [play(seed, plan=PLAN) for seed in range(chunk * SIZE, (chunk + 1) * SIZE)]
    assert [(each.seed, each.findings[:3]) for each in results if each.findings] == []
    assert [each.seed for each in results if each.is_vacuous] == []
    assert max(each.worst for each in results) < BOUND
    require_enough(results)


def require_enough(results: list[Result]) -> None:
    """A sweep in which little raced proves little."""
    assert sum(each.kills for each in results) > 4 * len(results)
    assert sum(each.receipts for each in results) > 3 * len(results)
    assert sum(each.soon for each in results) > 3 * len(results)
    assert sum(each.overlaps for each in results) > 20 * len(results)
    assert sum(each.unanswered for each in results) < 0.5 * len(results)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", DIRECTED)
def test_nothing_is_found_without_a_mistake_where_runs_are_directed_at_one(mutant: str) -> None:
    for seed in range(100 if SOAK else 5):
        assert [str(each) for each in run(seed, DIRECTED[mutant]).findings[:3]] == []


def test_every_fault_happens() -> None:
    counted = [run(seed, Plan(seconds=5)).faults for seed in range(40)]
    assert {name for each in counted for name in each} == set(FAULTS)


HISTORY = "from simulation.run import run, Plan; print(run(7, Plan(seconds=5)).calls)"


def test_a_seed_gives_the_same_history_in_every_process() -> None:
    def history(salt: str) -> bytes:
        env = {**os.environ, "PYTHONHASHSEED": salt, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.check_output([sys.executable, "-c", HISTORY], env=env)

    first, second = history("1"), history("2")
    assert len(first) > 10_000
    assert sha256(first).digest() == sha256(second).digest()
