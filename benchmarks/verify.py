"""The verify listener against other servers: each on one core, the generator on the other, in interleaved rounds."""

import json
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from benchmarks import contestants as c
from benchmarks.bars import Bar
from benchmarks.contestants.contestant import NotMeasured, Running, check
from benchmarks.contestants.seeding import seeded
from benchmarks.plot import plot
from benchmarks.rounds import interleaved, median_of_ratios
from benchmarks.samples import Sample, median, sampled

ROUNDS, SECONDS = 40, 0.4
"""Many short ones: what disturbs a machine lasts longer than a turn, and the median passes over it."""
_ALONE = (
    # below, must, aim
    (c.NO_OP, 0.70, 0.80),
    (c.NGINX, 0.45, 0.75),
    (c.LUA, 1.1, 1.5),
    (c.HAPROXY, 0.95, 1.3),
)
BARS = (
    # above, below, must, aim; with a lease, over PostgreSQL and far from the server, what must be reached is the same
    *((above, *bar) for above in (c.LISTENER, c.OVER_POSTGRES, c.ELSEWHERE) for bar in _ALONE),
    (c.BEHIND, c.BEHIND_NOTHING, 0.85, 0.97),
    (c.LISTENER, c.KNOX, 75, 150),
    (c.LISTENER, c.DRF_API_KEY, 50, 90),
    (c.LISTENER, c.JUPYTERHUB, 150, 400),
    (c.LISTENER, c.BETTER_AUTH, 40, 90),
)


def measure(*, quick: bool, verifier: list[str] | None, results: Path) -> list[Bar]:
    """Return the bars; print the table of contestants and leave it in `results` with its raw figures and a plot."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        running, missing = _started(Path(folder), verifier, stack)
        turns = {name: sampled(one, seconds=SECONDS) for name, one in running.items()}
        samples = interleaved(turns, rounds=2 if quick else ROUNDS)
    shown = table(samples, missing)
    raw = {"samples": {name: [asdict(one) for one in many] for name, many in samples.items()}, "missing": missing}
    (results / "verify.json").write_text(json.dumps(raw, indent=1) + "\n")
    (results / "verify.md").write_text(shown + "\n")
    rates = {name: median(many, "rate") for name, many in samples.items()}
    (results / "verify.svg").write_text(plot("Token checks a second, one core", rates))
    print(shown + "\n")
    return [_bar(samples, missing, above, below, must=must, aim=aim) for above, below, must, aim in BARS]


def _started(folder: Path, verifier: list[str] | None, stack: ExitStack) -> tuple[dict[str, Running], dict[str, str]]:
    """Start all that can be; return them, and why the others cannot."""
    seed = seeded(folder, verifier)
    running: dict[str, Running] = {}
    missing: dict[str, str] = {}
    for name, start in c.CONTESTANTS.items():
        print(f"starting {name} …", file=sys.stderr, flush=True)
        try:
            running[name] = start(seed, stack)
        except NotMeasured as reason:
            missing[name] = str(reason)
            continue
        print(f"  at {running[name].target}", file=sys.stderr)
        check(running[name])
    return running, missing


def table(samples: Mapping[str, list[Sample]], missing: Mapping[str, str]) -> str:
    """Return the Markdown table of contestants: medians of all rounds."""
    lines = [
        f"| verify, one core | requests/s | CPU µs | share of {c.NGINX} | of its core | p50 µs | p99 µs |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in c.CONTESTANTS:
        if name in missing:
            lines.append(f"| {name} | not measured: {missing[name]} | | | | | |")
            continue
        many = samples[name]
        share = f"{_ratio(samples, name, c.NGINX, 'rate'):.3g}" if c.NGINX in samples else ""
        rate, cpu = median(many, "rate"), median(many, "cpu")
        rest = f"{median(many, 'occupied'):.0%} | {median(many, 'p50'):,.0f} | {median(many, 'p99'):,.0f}"
        lines.append(f"| {name} | {rate:,.0f} | {cpu:,.1f} | {share} | {rest} |")
    return "\n".join(lines)


def _ratio(samples: Mapping[str, list[Sample]], above: str, below: str, field: str) -> float:
    one, other = ([getattr(sample, field) for sample in samples[name]] for name in (above, below))
    return median_of_ratios(one, other)


def _bar(
    samples: Mapping[str, list[Sample]], missing: Mapping[str, str], above: str, below: str, *, must: float, aim: float
) -> Bar:
    name = f"{above} / {below}"
    absent = [f"{one}: {missing[one]}" for one in (above, below) if one in missing]
    if absent:
        return Bar(name, 0, must, aim, at_most=False, missing="; ".join(absent))
    by_cpu = 1 / _ratio(samples, above, below, "cpu")
    raw = {one: [sample.rate for sample in samples[one]] for one in (above, below)}
    ratio = _ratio(samples, above, below, "rate")
    return Bar(name, ratio, must, aim, at_most=False, note=f"by CPU time {by_cpu:.3g}", raw=raw)
