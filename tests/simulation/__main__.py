"""Play many seeds on all cores: `python -m simulation SEEDS [--mutant NAME] [--from SEED]` in `tests/`."""

import argparse
import os
import sys
from multiprocessing import Pool

from simulation.sweep import Result, play, summary


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("seeds", type=int, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first one")
    parser.add_argument("--mutant", help="a mistake of simulation/mutants.py to build in")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    given = parser.parse_args()
    seeds = [(seed, given.mutant) for seed in range(given.first, given.first + given.seeds)]
    with Pool(given.processes) as pool:
        results: list[Result] = pool.starmap(play, seeds, chunksize=5)
    print(summary(given.mutant, results))
    return int(any(each.findings for each in results) == (given.mutant is None))


if __name__ == "__main__":
    sys.exit(main())
