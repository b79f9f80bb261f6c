"""Memory: what a remembered token takes, and what the verify listener takes before anybody asks it."""

import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.contestants import ours
from benchmarks.contestants.contestant import NotMeasured, check
from benchmarks.contestants.seeding import seeded
from support.server import environment

ROUNDS = 7
CACHED_TOKENS = Path(__file__).parent / "cached_tokens.py"
LISTENER = "memory of the idle listener, one worker"


def measure(*, quick: bool, verifier: list[str] | None) -> list[Bar]:
    """Return both bars."""
    return [_cached(rounds=3 if quick else ROUNDS), _listener(verifier)]


def _cached(*, rounds: int) -> Bar:
    def run() -> float:
        command = [sys.executable, str(CACHED_TOKENS)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment()).stdout)

    figures = [run() for _ in range(rounds)]
    note = "100,000 tokens of 1,000 owners"
    value = statistics.median(figures)
    return Bar("memory for each cached token", value, must=350, aim=200, unit="B", note=note, raw={"bytes": figures})


def _listener(verifier: list[str] | None) -> Bar:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        try:
            running = ours.listener(seeded(Path(folder), verifier), stack)
        except NotMeasured as reason:
            return Bar(LISTENER, 0, must=40, aim=25, missing=str(reason))
        check(running)  # what the first request brings is part of it
        [process] = running.processes
        sizes = [_kilobytes(pid) for pid in process.cpu_by_process()]
    resident = max(size["Rss"] for size in sizes) * 1024 / 1e6
    together = sum(size["Pss"] for size in sizes) * 1024 / 1e6
    note = f"resident, shared libraries counted; {len(sizes)} processes of the command together {together:.1f} MB"
    return Bar(LISTENER, resident, must=40, aim=25, unit="MB", note=note, raw={"resident": [resident]})


def _kilobytes(pid: int) -> dict[str, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name.rstrip(":"): int(size) for name, size, _ in (line.split() for line in lines)}
