"""Many seeds, and what came of them."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from faults.oracle import SECOND
from simulation.directed import DIRECTED
from simulation.mutants import MUTANTS
from simulation.run import LEAST, Outcome, Plan, run
from simulation.store import BOUND


class Result(NamedTuple):
    """What is kept of a run."""

    seed: int
    calls: int
    kills: int
    soon: int
    overlaps: int
    unanswered: float
    worst: float
    """Seconds from an acknowledged deletion to the last question that was still accepted."""
    receipts: int
    findings: list[str]

    @property
    def is_vacuous(self) -> bool:
        """Tell whether it tested nothing."""
        return self.worst * SECOND < LEAST


def play(seed: int, mutant: str | None = None, plan: Plan | None = None) -> Result:
    """Play one seed, with a mistake built in if one is named; then as its directed plan says."""
    outcome = run_with(seed, mutant, plan)
    had = outcome.measures
    return Result(
        seed,
        len(outcome.calls),
        had.kills,
        had.soon,
        had.overlaps,
        had.unanswered,
        outcome.worst,
        outcome.receipts,
        [str(finding) for finding in outcome.findings],
    )


def run_with(seed: int, mutant: str | None, plan: Plan | None = None) -> Outcome:
    """Play one seed with a mistake in the code, which is right again afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        if mutant:
            MUTANTS[mutant](patch)
        return run(seed, plan or DIRECTED.get(mutant or "", Plan()))


def summary(mutant: str | None, results: Sequence[Result]) -> str:
    """Return lines for people."""
    found = [each for each in results if each.findings]
    rules = Counter(rule for each in found for rule in {text.split()[0] for text in each.findings})
    worst = max(results, key=lambda each: each.worst)
    sums = {
        name: sum(getattr(each, name) for each in results)
        for name in ("calls", "kills", "soon", "overlaps", "receipts")
    }
    unanswered = sum(each.unanswered for each in results) / len(results)
    lines = [
        f"{mutant or 'correct'}: findings in {len(found)} of {len(results)} seeds {dict(sorted(rules.items()))}",
        f"{sums}, {unanswered:.1%} unanswered",
        f"worst acceptance after an acknowledged deletion: {worst.worst:.3f} s of {BOUND} (seed {worst.seed})",
        f"vacuous: {[each.seed for each in results if each.is_vacuous]}",
        f"first found in seeds {[each.seed for each in found][:10]}",
    ]
    return "\n  ".join(lines + [f"{each.seed}: {each.findings[0]}" for each in found[:3]])
