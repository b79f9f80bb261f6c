"""Starts a process of Gatepass with a death at a named point, a seeded mistake, or neither, built in.

python launch.py MUTANT POINT:N serve --data DIR …      (or - for none)
python launch.py MUTANT POINT:N ask PLACE NAME FOLDER   an embedded verifier, see asker.py
python launch.py MUTANT signal:FILE serve …             over PostgreSQL, see killer_postgres.py
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from faults import asker, cluster_mutants, killer, mutants
from gatepass.cli.commands import run

NONE = "-"


def main(arguments: Sequence[str]) -> int:
    """Arm, then be the process."""
    mutant, fault, *command = arguments
    if fault != NONE:
        point, _, count = fault.partition(":")
        if point == "signal":
            from faults import killer_postgres  # it brings the driver

            killer_postgres.arm_at_signal(Path(count))
        else:
            killer.arm(point, int(count))
    if mutant != NONE:
        (mutants.MUTANTS | mutants.ON_POSTGRES | cluster_mutants.MUTANTS)[mutant]()
    return asker.run(*command[1:]) if command[0] == "ask" else run(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
