"""`python -m benchmarks [--quick] [NAME ...]`: measure, print the table, keep it with the raw figures as JSON.

A full run, neither quick nor of some parts only, also writes its ratios into README.md.
"""

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks import (
    fan_out,
    library,
    lists,
    look_ups,
    memory,
    readme,
    sign_in_flood,
    sign_in_timing,
    two_workers,
    verify,
)
from benchmarks.bars import Bar, table
from support import server

RESULTS = Path("benchmarks/results")
NAMES = (
    "library",
    "memory",
    "look_ups",
    "lists",
    "sign_in_timing",
    "verify",
    "two_workers",
    "sign_in_flood",
    "fan_out",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all if none is given")
    parser.add_argument("--quick", action="store_true", help="small counts, to see that it works")
    parser.add_argument(
        "--verifier", metavar="COMMAND", type=shlex.split, help="what starts the verify listener [gatepass verifier]"
    )
    parser.add_argument("--deletions", metavar="N", type=int, help="of the part fan_out [2000]")
    given = parser.parse_args()
    server.PROGRAM = server.REAL_PROGRAM
    results = RESULTS / "quick" if given.quick else RESULTS
    results.mkdir(parents=True, exist_ok=True)
    benches: dict[str, Callable[..., list[Bar]]] = {
        "library": library.measure,
        "memory": partial(memory.measure, verifier=given.verifier),
        "look_ups": look_ups.measure,
        "lists": lists.measure,
        "sign_in_timing": sign_in_timing.measure,
        "verify": partial(verify.measure, verifier=given.verifier, results=results),
        "two_workers": partial(two_workers.measure, verifier=given.verifier),
        "sign_in_flood": partial(sign_in_flood.measure, verifier=given.verifier),
        "fan_out": partial(fan_out.measure, deletions=given.deletions),
    }
    bars: list[Bar] = []
    for name in given.names or NAMES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        began = time.monotonic()
        bars += benches[name](quick=given.quick)
        # After each part: a later one that breaks off takes nothing with it.
        (results / "last.json").write_text(json.dumps([asdict(bar) for bar in bars], indent=1) + "\n")
        (results / "last.md").write_text(table(bars) + "\n")
        print(f"{name} took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(bars))
    if not given.names and not given.quick:
        readme.rewrite(bars)
    return 0 if all(bar.reaches(bar.must) for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
