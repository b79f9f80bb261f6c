"""What one run of load on one contestant cost it, and the medians of several."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.contestants.contestant import Running
from benchmarks.load import Generator, prepared


@dataclass(frozen=True)
class Sample:
    """One contestant in one round."""

    rate: float
    """Right answers a second."""
    cpu: float
    """Processor time of all its processes for each answer, user and system, in microseconds."""
    p50: float
    p99: float

    @property
    def occupied(self) -> float:
        """Share of one core it had: well under 1, it waited for the generator or for other work on the machine."""
        return self.rate * self.cpu / 1e6


def sampled(running: Running, *, seconds: float) -> Callable[[], Sample]:
    """Return what puts `running` under load, as fast as it answers, for that long."""
    generator = Generator(running.target, prepared(running.authorizations, path=running.path))

    def measure() -> Sample:
        before = running.cpu_seconds()
        load = generator.run(seconds)
        used = running.cpu_seconds() - before
        return Sample(load.rate, used / load.answers * 1e6, load.p50, load.p99)

    return measure


def median(samples: Sequence[Sample], name: str) -> float:
    """Return the median over the rounds of one field."""
    return statistics.median(getattr(sample, name) for sample in samples)
