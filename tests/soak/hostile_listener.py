"""The hostile corpus at a running listener, over and over: `python hostile_listener.py SECONDS DATA TOKEN`.

Every answer must be as documented, and the memory of the worker must stay flat.
"""

import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from support.hostile import CASES, Case
from support.listener import Listener, statuses

AT_ONCE = 16
MOST_GROWTH = 4 * 2**20
"""Bytes that a worker may take more after the first tenth of the time: noise of the allocator, not a leak."""


@dataclass
class Soak:
    """What came of it."""

    requests: int
    wrong: list[tuple[str, list[int]]]
    settled: int
    """Bytes that the worker took after the first tenth."""
    at_end: int

    @property
    def growth(self) -> int:
        return self.at_end - self.settled


def resident(pid: int) -> int:
    """Return the bytes of memory of a process."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def soak(listener: Listener, token: str, seconds: float) -> Soak:
    """Run the corpus for that long; the cases that take their time run beside the others."""
    [worker] = listener.workers()
    began = time.monotonic()
    wrong: list[tuple[str, list[int]]] = []
    count, settled = 0, 0

    def run(case: Case) -> None:
        found = statuses(listener.talk(*case.sent(token), pause=case.pause, half_close=case.half_close))
        if found != list(case.expected):
            wrong.append((case.name, found))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        while time.monotonic() - began < seconds or not count:
            list(threads.map(run, CASES))
            count += len(CASES)
            if not settled or time.monotonic() - began < seconds / 10:
                settled = resident(worker)
        if listener.workers() != [worker]:
            wrong.append(("the worker died", []))
    return Soak(count, wrong, settled, resident(worker))


if __name__ == "__main__":
    with Listener(Path(sys.argv[2])) as running:
        came = soak(running, sys.argv[3], float(sys.argv[1]))
    print(f"{came.requests} cases, wrong {came.wrong[:10]}, {came.settled:,} bytes, then {came.at_end:,}")
    sys.exit(bool(came.wrong) or came.growth > MOST_GROWTH)
