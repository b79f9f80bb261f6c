"""The oracle proven: each seeded mistake of `mutants.py` is found in a run of seconds.

The runs are directed: each has the load and the deaths that its mistake takes, and some tries. `make test` takes a few
of the mistakes, `make soak` all.
"""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from faults.load import Rates
from faults.mutants import MUTANTS
from faults.one_host import Plan, run
from support.server import make_installation

SOAK = bool(os.environ.get("GATEPASS_SOAK"))
OFTEN = ("early_reply",)
TRIES = 4
QUICK = Rates(create=0.03, delete=0.04, switch=0.15, command=0, feature=0, lifetimes=(-1,))
BASE = Plan(seconds=2, doors=("serve",), people=2, rates=QUICK)
DEAD_WRITERS = replace(
    BASE, seconds=4, rates=replace(QUICK, switch=0, feature=0.3, off=1, kill_commands=1, console_points=("committed",))
)
STALE = {"R2", "R4", "R8"}
"""By which an answer is found that was right some time before."""
FOUND: dict[str, tuple[Plan, set[str]]] = {
    "ttl_only": (BASE, STALE),
    "early_reply": (BASE, {"R2"}),
    "no_words": (BASE, STALE),
    "one_word": (DEAD_WRITERS, {"R3"}),
    "finish_first": (BASE, STALE),
    "stale_put": (BASE, STALE),
    "refused_for_ever": (BASE, {"R4"}),
    "owner_ignored": (BASE, STALE),
    "last_change_only": (BASE, STALE),
    "memory_while_changing": (DEAD_WRITERS, {"R2", "R3"}),
    "no_expiry": (replace(BASE, seconds=4, rates=replace(QUICK, lifetimes=(1,))), {"R7"}),
    "short_key": (BASE, {"R1", "R4", "R9"}),
    "unread_flag": (BASE, {"R2"}),
    "empty_deletion": (BASE, {"R2", "R6"}),
    "warm_restart": (replace(BASE, seconds=4, kill_askers=0.6), {"R2"}),
    "check_before": (replace(BASE, rates=replace(QUICK, switch=0.08)), {"R5"}),
    "lost_record": (BASE, {"R12"}),
    "any_secret": (BASE, {"R1"}),
}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("installation") / "data"
    make_installation(made)
    return made


def rules_of(folder: Path, installation: Path, plan: Plan) -> set[str]:
    folder.mkdir()
    shutil.copytree(installation, folder / "data")
    return {finding.rule for finding in run(folder, plan).findings}


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("one-host")
@pytest.mark.parametrize("mutant", MUTANTS if SOAK else OFTEN)
def test_the_oracle_finds_the_mistake(mutant: str, tmp_path: Path, installation: Path) -> None:
    plan, rules = FOUND[mutant]
    for seed in range(TRIES):
        found = rules_of(tmp_path / str(seed), installation, replace(plan, mutant=mutant, seed=seed))
        if found & rules:
            return
        assert not found, f"found by other rules only: {found}"
    pytest.fail(f"not found in {TRIES} runs")


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("one-host")
@pytest.mark.parametrize(
    "plan", [pytest.param(BASE, id="load"), pytest.param(DEAD_WRITERS, id="dead writers", marks=pytest.mark.long)]
)
def test_the_oracle_finds_nothing_without_one(plan: Plan, tmp_path: Path, installation: Path) -> None:
    assert rules_of(tmp_path / "run", installation, plan) == set()
