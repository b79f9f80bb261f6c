"""Verification while passwords are tried: p99 of token checks with 50 wrong passwords a second at `serve`, and without.

The throttle is off and each attempt is for another name, so that every one of them costs a password hash. `serve` and
the listener each have a core, as `docs/how-to/run-for-real.md` advises where verification must not wait. Checks are
sent on a schedule, and their latency counts from when they were due.
"""

import base64
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.contestants import LISTENER, ours
from benchmarks.contestants.contestant import Running, ask, check
from benchmarks.contestants.seeding import seeded
from benchmarks.load import Generator, prepared
from benchmarks.process import LOAD_CORE, SERVER_CORE
from benchmarks.rounds import interleaved, median_of_ratios

ROUNDS, SECONDS = 7, 5.0
CHECKS_A_SECOND, ATTEMPTS_A_SECOND = 1000, 50
KEPT = 0.95
"""Of the schedule, when nothing else is asked: below this it is the schedule that is measured, not the flood."""
# What a busy server may also say: its hashes have a queue, and it is bounded.
REFUSALS = (401, 429, 503)


def measure(*, quick: bool, verifier: list[str] | None) -> list[Bar]:
    """Return the bar of the listener beside `serve`."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        seed = seeded(Path(folder), verifier)
        serve = ours.serve(seed, stack)
        listener = ours.listener(seed, stack, cores=(LOAD_CORE,))
        return [_bar(listener, serve, quick=quick)]


def _bar(asked: Running, serve: Running, *, quick: bool) -> Bar:
    name = f"{LISTENER}, p99 while passwords are tried / idle"
    check(asked)
    seconds = 1.0 if quick else SECONDS
    checks = Generator(asked.target, prepared(asked.authorizations), connections=16)
    attempts = Generator(serve.target, prepared(map(_wrong, range(1000)), path="/v4/people/current"), connections=200)

    kept: list[float] = []
    taken: list[float] = []

    def idle() -> float:
        load = checks.run(seconds, rate=CHECKS_A_SECOND)
        kept.append(load.rate / CHECKS_A_SECOND)
        return load.p99

    def flooded() -> float:
        # A second longer than the checks and begun before them: they meet it in full flow.
        flood = attempts.start(seconds + 1, rate=ATTEMPTS_A_SECOND, statuses=REFUSALS, cores=(SERVER_CORE,))
        before = serve.cpu_seconds()
        p99 = checks.run(seconds, rate=CHECKS_A_SECOND).p99
        taken.append((serve.cpu_seconds() - before) / seconds)
        flood.result()
        _let_finish(serve)
        return p99

    figures = interleaved({"idle": idle, "flooded": flooded}, rounds=2 if quick else ROUNDS)
    if statistics.median(kept) < KEPT:
        return Bar(name, 0, 2, 1.2, missing=f"idle, it answers fewer than the {CHECKS_A_SECOND:,} checks a second")
    ratio = median_of_ratios(figures["flooded"], figures["idle"])
    middle, cores = statistics.median(figures["idle"]) / 1000, statistics.median(taken)
    note = f"{CHECKS_A_SECOND:,} checks a second, {middle:.2f} ms idle; flooded, serve takes {cores:.2f} cores"
    return Bar(name, ratio, must=2, aim=1.2, note=note, raw={**figures, "cores of serve": taken})


def _let_finish(serve: Running) -> None:
    """Return when the passwords that still wait to be hashed are: a new one that is judged was behind them."""
    running = Running(serve.target, serve.processes, [_wrong(0)], bad=None, path="/v4/people/current")
    while ask(running, running.authorizations[0]) != 401:
        pass


def _wrong(number: int) -> str:
    return "Basic " + base64.b64encode(f"nobody{number}@example.com:not the password of anyone".encode()).decode()
