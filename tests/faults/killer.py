"""Runs the command line with a death built in: at the n-th passing of a named point, kill -9.

    python killer.py POINT N serve --data DIR …

Points: `begin` (before BEGIN IMMEDIATE), `commit` (before COMMIT), `committed` (after it, before the
reply), `statement` (before a statement that changes something), `use` (in the middle of a transaction
that writes uses). Of a change of what is accepted: `raise` (before the first word is raised; `commit`
is then after it, `committed` before the second), `raised` (after the second). Of the revocation journal:
`journal` (before a record is written), `torn` (in the middle of one), `journalled` (after it was synced;
`raise` comes next).
"""

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from gatepass.model.journal import JournalMark, JournalRecord
from gatepass.stores.journal import Journal
from gatepass.stores.journal_lines import write_record
from gatepass.stores.sql.sqlite import SqliteConnection
from gatepass.stores.words import Words

POINTS = ("begin", "statement", "journal", "torn", "journalled", "raise", "commit", "committed", "raised", "use")
_BEFORE = {"BEGIN IMMEDIATE": "begin", "COMMIT": "commit"}
_AFTER = {"COMMIT": "committed"}


def arm(point: str, count: int) -> None:
    """Make the process die at the `count`-th passing of `point`."""
    plain, plain_begin, plain_finish = SqliteConnection.run, Words.begin, Words.finish
    plain_append = Journal.append
    left = [count]

    def pass_by(here: str | None) -> None:
        if here == point:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def run(self: SqliteConnection, sql: str, **values: Any) -> int:
        changes = sql.split(maxsplit=1)[0] in {"INSERT", "UPDATE", "DELETE"}
        pass_by("statement" if changes else _BEFORE.get(sql))
        result = plain(self, sql, **values)
        pass_by("use" if changes and "last_used" in sql else _AFTER.get(sql))
        return result

    def begin(self: Words, revision: int) -> None:
        pass_by("raise")
        plain_begin(self, revision)

    def finish(self: Words, revision: int) -> None:
        plain_finish(self, revision)
        pass_by("raised")

    def append(self: Journal, mark: JournalMark, record: JournalRecord) -> JournalMark:
        pass_by("journal")
        if point == "torn" and left[0] == 1:
            line, _ = write_record(mark, record)
            with self.path.open("ab") as file:
                file.write(line[: len(line) // 2])
        pass_by("torn")
        after = plain_append(self, mark, record)
        pass_by("journalled")
        return after

    Journal.append = append  # type: ignore[method-assign]
    SqliteConnection.run = run  # type: ignore[method-assign]
    Words.begin, Words.finish = begin, finish  # type: ignore[method-assign]


def main(arguments: Sequence[str]) -> None:
    """Arm, then be the command line."""
    from gatepass.cli.commands import run

    arm(arguments[0], int(arguments[1]))
    sys.exit(run(arguments[2:]))


if __name__ == "__main__":
    main(sys.argv[1:])
