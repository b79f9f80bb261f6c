"""`python -m benchmarks [--quick] [NAME ...]`: measure, print the table, keep the raw figures as JSON."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks import lists, sign_in_timing
from benchmarks.bars import Bar, table

BENCHES = {"lists": lists.measure, "sign_in_timing": sign_in_timing.measure}
RESULTS = Path("benchmarks/results")


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; all if none is given")
    parser.add_argument("--quick", action="store_true", help="small counts, to see that it works")
    given = parser.parse_args()
    bars: list[Bar] = []
    for name in given.names or BENCHES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        bars += BENCHES[name](quick=given.quick)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "last.json").write_text(json.dumps([asdict(bar) for bar in bars], indent=1) + "\n")
    print(table(bars))
    return 0 if all(bar.reaches(bar.must) for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
