"""Look-ups of tokens in SQLite at ten thousand, a million and ten million of them: random live ids, in turn."""

import itertools
import random  # noqa: TID251  an order of look-ups, no secret
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import apsw

from benchmarks.bars import Bar
from benchmarks.fill import fill
from benchmarks.rounds import interleaved, median_of_ratios, timed
from gatepass.server.installation import DATABASE
from gatepass.stores.sql.sqlite import SqliteStore
from support.server import Server, make_installation

FEW, SOME, MANY, QUICK = 10_000, 1_000_000, 10_000_000, 100_000
ROUNDS, TIMES = 40, 2_000
BYTES_OF_A_TOKEN = 800
"""Of disk, at the most, while a database is filled."""


def measure(*, quick: bool) -> list[Bar]:
    """Return the one bar. Quick runs fill no large database, and their bar says so."""
    counts = (FEW, QUICK) if quick else (FEW, SOME, MANY)
    name = f"look-up at {counts[-1]:,} tokens / at {FEW:,} (SQLite)"
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        wanted = sum(counts) * BYTES_OF_A_TOKEN
        if shutil.disk_usage(folder).free < wanted:
            return [Bar(name, 0, 2.5, 1.5, missing=f"{folder} has no {wanted / 1e9:.0f} GB free")]
        turns = {f"{count:,}": _look_ups(Path(folder) / str(count), count, stack) for count in counts}
        figures = interleaved(turns, rounds=5 if quick else ROUNDS)
    ratio = median_of_ratios(figures[f"{counts[-1]:,}"], figures[f"{FEW:,}"])
    note = ", ".join(f"{statistics.median(many) * 1e6:.1f} µs at {count}" for count, many in figures.items())
    return [Bar(name, ratio, must=2.5, aim=1.5, note=note, raw=figures)]


def _look_ups(data: Path, count: int, stack: ExitStack) -> Callable[[], float]:
    """Fill an installation; return what gives the mean seconds of a look-up."""
    make_installation(data)
    with Server(data) as server:
        owner = UUID(server.admin("GET", "/v4/people/current").json["id"])
    fill(data, owner, count)
    ids = _some_ids(data / DATABASE, count)
    store = SqliteStore(data / DATABASE)
    stack.callback(store.close)

    def look_up() -> None:
        if store.find_verification(next(ids)) is None:
            raise RuntimeError("a live token is not found")

    return timed(look_up, times=TIMES)


def _some_ids(database: Path, count: int) -> Iterator[UUID]:
    """Return ids from all over the table in random order, more than are used, so that none comes twice if it can."""
    every = max(1, count // (2 * ROUNDS * TIMES))
    opened = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    rows = itertools.islice(opened.execute("SELECT id FROM tokens ORDER BY id"), 0, None, every)
    ids = [UUID(bytes=token_id) for (token_id,) in rows]
    opened.close()
    random.Random(1).shuffle(ids)  # noqa: S311  an order, no secret
    return itertools.cycle(ids)
