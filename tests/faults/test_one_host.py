"""What the contract promises of one host, held against processes that die at any moment.

A server, embedded verifiers and commands work on one installation. They are killed anywhere and at
the named points of `killer.py`; clients record what they were told, and the oracle must find nothing.
"""

import os
from pathlib import Path

import pytest

from faults.host import has_command
from faults.killer import POINTS
from faults.load import Rates
from faults.one_host import Plan, run
from faults.vacuity import Least

SOAK = bool(os.environ.get("GATEPASS_SOAK"))
SECONDS = 900 if SOAK else 12
CONSOLE_POINTS = ("begin", "raise", "commit", "committed", "raised")


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.xdist_group("one-host")
def test_what_was_answered_holds_whoever_dies(tmp_path: Path) -> None:
    # Eight processes: the server, up to two commands at a time, and verifiers of both kinds.
    verifiers = 3 if has_command("verifier") else 5
    plan = Plan(
        seconds=SECONDS,
        askers=verifiers,
        rates=Rates(kill_commands=0.5, console_points=CONSOLE_POINTS),
        kill_servers=3,
        kill_askers=2,
        points=POINTS,
    )
    outcome = run(tmp_path, plan)
    print(outcome.measures, f"{outcome.deaths=} {outcome.named=} {outcome.processes=} {outcome.missing=}")
    assert [str(finding) for finding in outcome.findings[:20]] == []
    assert outcome.leaks == []
    least = Least(kills=SECONDS // 3, soon=SECONDS, overlaps=SECONDS // 4, doors=verifiers + 2)
    assert outcome.measures.lacking(least) == []
    assert outcome.deaths >= SECONDS // 6
    assert outcome.named >= SECONDS // 100
