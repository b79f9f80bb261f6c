"""The simulation proven: each mistake of `mutants.py` is found within a few runs."""

import os

import pytest

from simulation.directed import KNOWN
from simulation.mutants import MUTANTS
from simulation.sweep import play

TRIES = 60
OFTEN = ("ttl_only", "stale_put", "no_gap", "fail_open", "early_receipt")


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutant", MUTANTS if os.environ.get("GATEPASS_SOAK") else OFTEN)
def test_the_mistake_is_found(mutant: str) -> None:
    assert any(play(seed, mutant).findings for seed in (*KNOWN.get(mutant, ()), *range(TRIES)))
