"""Each cell of the second table of docs/reference/outages.md, over PostgreSQL, as `test_outages.py` holds the first.

A row is of the database, and then of everybody who uses it; or of one server or verifier, and all others go on.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from faults.breaking_postgres import FAULTS, stopped
from faults.parts import Door, Token
from faults.parts_postgres import (
    BOUND,
    FAR,
    FIRST,
    LISTENER,
    PostgresScene,
    running_postgres_scene,
    token_of,
    wait_for,
)
from faults.test_outages import mended_at_last, rows, stranger
from support.asking import Asking
from support.server import gatepass
from support.waiting import poll

pytestmark = [pytest.mark.xdist_group("outages-postgres"), pytest.mark.timeout(180)]
HEADING = "On PostgreSQL"
SOON = 0.4
"""Who has not answered within so many seconds does not."""


@dataclass(frozen=True)
class Times:
    """When the part began to be broken, and when it was."""

    began_at: float
    broken_at: float

    @property
    def is_early(self) -> bool:
        """Tell whether every lease still lasts: it was renewed a quarter of the bound ago at most."""
        return time.monotonic() < self.began_at + BOUND / 2

    @property
    def is_late(self) -> bool:
        """Tell whether no lease lasts."""
        return time.monotonic() > self.broken_at + BOUND


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresScene]:
    with running_postgres_scene(tmp_path_factory.mktemp("outages")) as made:
        yield made


# What the cells of verification say. A door is asked about what it knows, about what it does not, and when a bound
# has passed about both again.

GOES_ON, UNTIL, NEVER, SILENT = "goes on", "until the lease is over, then 503", "503", "no answer"
FROM_MEMORY, IF_IT_FITS = "from memory, else 503", "503 or works"


def ask_about_unknown(scene: PostgresScene, door: Door, cold: Token) -> list[str]:
    return [door.ask(cold), door.ask(stranger())]


def unknown_at_once(cell: str, scene: PostgresScene, door: Door, times: Times) -> None:
    is_early = times.is_early
    if cell == SILENT:
        assert door.ask(scene.cold, seconds=SOON) == "none"
        return
    found = ask_about_unknown(scene, door, scene.cold)
    if cell == UNTIL:
        assert found[0] == "accepted" or not is_early
    else:
        assert found == (["accepted", "refused"] if cell == GOES_ON else ["unavailable"] * 2)


def unknown_at_last(cell: str, scene: PostgresScene, door: Door) -> None:
    if cell == SILENT:
        assert door.ask(scene.colder, seconds=SOON) == "none"
    else:
        found = ask_about_unknown(scene, door, scene.colder)
        assert found == (["accepted", "refused"] if cell == GOES_ON else ["unavailable"] * 2)


def known_at_once(cell: str, scene: PostgresScene, door: Door, times: Times) -> None:
    is_early = times.is_early
    said = door.ask(scene.warm, seconds=SOON if cell == SILENT else 20)
    assert said == ("none" if cell == SILENT else "accepted") or not is_early


def known_for_a_bound(cell: str, scene: PostgresScene, door: Door, times: Times) -> None:
    if cell == GOES_ON:
        while not times.is_late:
            assert [door.ask(token) for token in (scene.warm, scene.dead)] == ["accepted", "refused"]
            time.sleep(0.1)
        assert door.ask(scene.warm) == "accepted"
    elif cell == UNTIL:
        asked_at, said = time.monotonic(), door.ask(scene.warm)
        while said == "accepted":
            assert asked_at < times.broken_at + BOUND
            assert door.ask(scene.dead) != "accepted"
            asked_at, said = time.monotonic(), door.ask(scene.warm)
        assert {door.ask(token) for token in (scene.warm, scene.dead)} == {"unavailable"}


def look_everywhere(scene: PostgresScene, times: Times, at: Collection[str], cells: Sequence[str]) -> None:
    """Ask all doors at the same time; those that are not concerned go on."""
    known, unknown, elsewhere = cells

    def look(name: str) -> None:
        door = scene.doors[name]
        mine = (known, unknown) if name in at else (GOES_ON, GOES_ON)
        if name == FAR:
            mine = (GOES_ON, NEVER) if elsewhere == FROM_MEMORY else (elsewhere, elsewhere)
        known_at_once(mine[0], scene, door, times)
        if (name, elsewhere) != (FAR, UNTIL):  # what it is told depends on how long its server's lease lasts
            unknown_at_once(mine[1], scene, door, times)
        known_for_a_bound(mine[0], scene, door, times)
        unknown_at_last(mine[1], scene, door)

    with ThreadPoolExecutor(len(scene.doors)) as pool:
        looks = {name: pool.submit(look, name) for name in scene.doors}
    assert {name: str(wrong) for name, each in looks.items() if (wrong := each.exception())} == {}


# What those of changes and pages say.


def creation(scene: PostgresScene, at: str, cell: str) -> None:
    reply = scene.create(at, seconds=SOON if cell.startswith(SILENT) else 20)
    if cell.startswith(SILENT):
        assert reply is None
    elif cell == "works" or (cell == IF_IT_FITS and reply.status == 201):
        made = token_of(reply)
        assert scene.doors[at].ask(made) == "accepted"
        scene.known.add(made[1])
    else:
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")


def deletion(scene: PostgresScene, at: str, cell: str) -> None:
    victim = scene.victims[at]
    if cell.startswith(SILENT):
        assert scene.delete(at, victim, seconds=SOON) is None
        return
    reply = scene.delete(at, victim)
    if reply.status == 503 and cell != "works":
        assert reply.headers["retry-after"] == "1"
        return
    assert (reply.status, cell in {"works", IF_IT_FITS}) == (204, True)
    deleted_at = time.monotonic()
    assert scene.doors[at].ask(victim) == "refused"
    for door in scene.doors.values():
        asked_at = time.monotonic()
        while door.ask(victim, seconds=SOON) == "accepted":
            assert asked_at < deleted_at + BOUND
            asked_at = time.monotonic()


def pages(scene: PostgresScene, at: str, cell: str) -> None:
    expected = {"shown": 200, NEVER: 503, UNTIL: 503, SILENT: None}[cell]
    assert scene.page(at, seconds=SOON if cell == SILENT else 20) == expected


def signing_in(scene: PostgresScene, at: str, cell: str) -> None:
    expected = {"works": {303}, NEVER: {503}, IF_IT_FITS: {503, 303}, SILENT: {None}}[cell]
    assert scene.sign_in(at, seconds=SOON if cell == SILENT else 20) in expected


CHANGES = (creation, deletion, pages, signing_in)
AS_ALWAYS = ("works", "works", "shown", "works")


def test_every_row_has_a_fault_and_every_fault_a_row() -> None:
    assert list(rows(HEADING)) == list(FAULTS)


@pytest.mark.long
@pytest.mark.parametrize("fails", FAULTS)
def test_when_a_part_fails_what_its_row_says_is_so(scene: PostgresScene, fails: str) -> None:
    known, unknown, elsewhere, *changes = rows(HEADING)[fails]
    fault, at = FAULTS[fails]
    scene.prepare()
    began_at = time.monotonic()
    with mended_at_last(fault(scene)):
        times = Times(began_at, time.monotonic())
        for name in scene.servers:
            if changes[2] == UNTIL and times.is_early:
                assert scene.page(name) == 200
        look_everywhere(scene, times, at, (known, unknown, elsewhere))
        for name in scene.servers:
            concerned = name in at or at == (LISTENER,)
            for look, cell in zip(CHANGES, changes if concerned else AS_ALWAYS, strict=True):
                look(scene, name, cell)
    require_mended(scene, *changes[:2], at=at)


@pytest.mark.long
def test_nothing_starts_while_the_database_is_away(scene: PostgresScene) -> None:
    place = ("--data", str(scene.servers[FIRST].data), "--database", scene.database)
    with mended_at_last(stopped(scene)):
        for command in ("serve", "verifier"):
            done = gatepass(command, *place, "--listen", "127.0.0.1:0")
            assert (done.returncode, "the database cannot be reached" in done.stderr) == (1, True), done.stderr
        with Asking(place[1], database=scene.database) as asking:
            assert asking.began.startswith("unavailable: the database cannot be reached")
    scene.prepare()
    scene.require_whole()


def require_mended(scene: PostgresScene, created: str, deleted: str, *, at: Collection[str]) -> None:
    """Nobody has to start anything anew, and nothing happened that was refused."""
    scene.require_whole()
    for name, victim in scene.victims.items():
        said = "refused" if victim in scene.deleted else "accepted"
        if name in at and "may happen" in deleted:
            said = poll(lambda victim=victim: scene.doors[FIRST].ask(victim))
        for each, door in scene.doors.items():
            wait_for(each, door, victim, said)
    if created in {"503, nothing happened", IF_IT_FITS}:
        assert scene.token_ids() <= scene.known
