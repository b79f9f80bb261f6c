"""The bar of sign-in timing is missed by a difference that is there, and not by noise."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.sign_in_timing import bar, mann_whitney


def seconds(seed: int, *, more: float = 0.0, spread: float = 0.004) -> list[float]:
    """Return what a hundred sign-ins took, in seconds, with a tail as a busy machine has it."""
    chance = random.Random(seed)
    return [0.05 + more + chance.expovariate(1 / spread) for _ in range(100)]


def test_a_large_difference_that_is_there_is_missed() -> None:
    found = bar("x", seconds(1, more=0.003), seconds(2))
    assert found.verdict == "MISSED"
    assert found.value > 1
    assert "p = " in found.note


def test_medians_that_lie_apart_by_chance_are_no_difference() -> None:
    found = bar("x", [0.050, 0.053] * 50, [0.050, 0.053] * 49 + [0.050, 0.050])
    assert found.value == 0
    assert found.verdict == "aim"
    assert "medians 1.50 ms apart" in found.note


def test_a_difference_that_is_there_and_small_reaches_the_bar_with_its_size() -> None:
    found = bar("x", [0.0501 + step / 1e7 for step in range(100)], [0.0500 + step / 1e7 for step in range(100)])
    assert found.verdict == "aim"
    assert found.value == pytest.approx(0.1)


def test_two_samples_of_one_distribution_are_rarely_told_apart() -> None:
    told = sum(mann_whitney(seconds(seed), seconds(seed + 1000)) < 0.01 for seed in range(300))
    assert told <= 9  # three are to be expected


def test_the_p_is_that_of_the_tables() -> None:
    assert mann_whitney([1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14, 15, 16]) == pytest.approx(0.00078, abs=1e-5)
    assert mann_whitney([1, 4, 5, 8], [2, 3, 6, 7]) == pytest.approx(1.0)
