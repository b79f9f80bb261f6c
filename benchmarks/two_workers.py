"""Two workers of the verify listener on two cores against one worker on one.

The machine may have no more than the two cores, so the generator cannot have one to itself. Instead everything is
doubled: one core with a worker and a generator of its own, against two cores with a worker and a generator each. The
generators sleep when there is nothing to read. Whoever is woken waits until the other on its core has done its part
(SCHED_BATCH): otherwise it is chance whether the two work by the batch or interrupt each other at every request, and
that is twice the cost. The bar is the ratio of the answers a second, on a machine that has
nothing else to do; what two cores could answer over what one could by the workers' processor time stands beside it.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.contestants import ours
from benchmarks.contestants.contestant import NotMeasured, Running, check
from benchmarks.contestants.seeding import seeded
from benchmarks.load import Generator, prepared
from benchmarks.rounds import interleaved, median_of_ratios

ROUNDS, SECONDS = 7, 3.0
CONNECTIONS = 256
"""Of each generator: enough that the kernel, which deals them out by chance, gives both workers about as many."""
NAME = "two workers on two cores / one on one"
MUST, AIM = 1.7, 1.95


def measure(*, quick: bool, verifier: list[str] | None) -> list[Bar]:
    """Return the one bar."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        return [Bar(NAME, 0, MUST, AIM, at_most=False, missing="this machine has one core")]
    seconds = 0.4 if quick else SECONDS
    with _by_the_batch(), tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        seed = seeded(Path(folder), verifier)
        try:
            one = ours.listener(seed, stack, cores=(cores[0],))
            two = ours.listener(seed, stack, workers=2, cores=tuple(cores))
        except NotMeasured as reason:
            return [Bar(NAME, 0, MUST, AIM, at_most=False, missing=str(reason))]
        check(one)
        check(two)
        _spread(two, cores)
        turns = {"one": _measured(one, cores[:1], seconds=seconds), "two": _measured(two, cores, seconds=seconds)}
        figures = interleaved(turns, rounds=2 if quick else ROUNDS)
    rates = {name: [rate for rate, _ in many] for name, many in figures.items()}
    costs = {name: [cost for _, cost in many] for name, many in figures.items()}
    ratio = median_of_ratios(rates["two"], rates["one"])
    note = f"by CPU time {2 * median_of_ratios(costs['one'], costs['two']):.3g}"
    raw = {f"{name} {what}": many[name] for name in turns for what, many in (("rate", rates), ("cpu", costs))}
    return [Bar(NAME, ratio, MUST, AIM, at_most=False, note=note, raw=raw)]


@contextmanager
def _by_the_batch() -> Iterator[None]:
    """Let the processes that are started in the block interrupt none that runs."""
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _measured(running: Running, cores: list[int], *, seconds: float) -> Callable[[], tuple[float, float]]:
    """Return what gives answers a second, and microseconds of processor time for each."""
    generators = _generators(running, len(cores))

    def measure() -> tuple[float, float]:
        before = running.cpu_seconds()
        pairs = zip(generators, cores, strict=True)
        loads = [started.result() for started in [one.start(seconds, cores=(core,)) for one, core in pairs]]
        used = running.cpu_seconds() - before
        return sum(load.rate for load in loads), used / sum(load.answers for load in loads) * 1e6

    return measure


def _generators(running: Running, count: int) -> list[Generator]:
    requests = prepared(running.authorizations, path=running.path)
    return [Generator(running.target, requests, connections=CONNECTIONS) for _ in range(count)]


def _spread(running: Running, cores: list[int]) -> None:
    """Put each worker on a core of its own: the two processes that work when there is work."""
    [process] = running.processes
    before = process.cpu_by_process()
    for started in [generator.start(1, cores=cores) for generator in _generators(running, 2)]:
        started.result()
    used = {pid: cpu - before.get(pid, 0) for pid, cpu in process.cpu_by_process().items()}
    workers = sorted(used, key=lambda pid: -used[pid])[:2]
    if len(workers) < 2 or used[workers[1]] < used[workers[0]] / 4:
        raise RuntimeError("the listener does not spread connections over two workers")
    for worker, core in zip(workers, cores, strict=True):
        os.sched_setaffinity(worker, {core})
