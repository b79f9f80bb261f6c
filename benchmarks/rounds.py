"""Rounds: each contestant once a round, in turn, so that a drifting machine drifts under all of them."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

Figure = TypeVar("Figure")


def interleaved(contestants: Mapping[str, Callable[[], Figure]], *, rounds: int) -> dict[str, list[Figure]]:
    """Let each contestant return its figure once a round; the first round warms up and is dropped."""
    figures: dict[str, list[Figure]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, measure in contestants.items():
            figure = measure()
            if number:
                figures[name].append(figure)
    return figures


def timed(work: Callable[[], object], *, times: int = 1) -> Callable[[], float]:
    """Return a contestant whose figure is the mean seconds of `work` over `times` calls."""

    def measure() -> float:
        began = time.perf_counter()
        for _ in range(times):
            work()
        return (time.perf_counter() - began) / times

    return measure


def median_of_ratios(above: list[float], below: list[float]) -> float:
    """Return the median over the rounds of one figure divided by the other of the same round."""
    return statistics.median(one / other for one, other in zip(above, below, strict=True))
