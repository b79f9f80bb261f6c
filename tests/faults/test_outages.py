"""Each cell of docs/reference/outages.md: the part is broken, in real processes, and what the cell says is looked for.

The table is read: a row needs a fault of its name here, and the words of a cell need a check.
"""

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from faults.parts import PAGE, Door, Scene, Token, running_scene
from gatepass.model.secret import generate_secret
from gatepass.model.token import TokenKind, write_token
from support.asking import Asking
from support.listener import Listener
from support.small_disk import fill
from support.waiting import poll

pytestmark = pytest.mark.xdist_group("outages")
TABLE = Path(__file__).parents[2] / "docs" / "reference" / "outages.md"
BOUND = 1.0
"""The smallest there is."""
SOON = 0.4
"""Who has not answered within so many seconds does not."""


Fault = Callable[[Scene], AbstractContextManager[None]]


def rows(heading: str) -> dict[str, list[str]]:
    """Return the cells of the table under a heading by what fails."""
    section = TABLE.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: rest for name, *rest in cells if name != "what fails"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running_scene(tmp_path_factory.mktemp("outages")) as made:
        yield made


# What the cells of verification say.


def stranger() -> Token:
    """Return a token in perfect form that nobody ever made, another one each time: refusals are remembered too."""
    return write_token(TokenKind.PERSONAL, uuid4(), generate_secret()).reveal(), ""


def goes_on(scene: Scene, door: Door) -> None:
    said = [door.ask(token) for token in (scene.warm, scene.cold, scene.dead, stranger())]
    assert said == ["accepted", "accepted", "refused", "refused"]


def goes_on_for_known_tokens(scene: Scene, door: Door) -> None:
    said = [door.ask(token) for token in (scene.warm, scene.cold, scene.dead, stranger())]
    assert said == ["accepted", "accepted", "refused", "unavailable"]


def unavailable(scene: Scene, door: Door) -> None:
    poll(lambda: {door.ask(token) for token in (scene.warm, scene.dead)} == {"unavailable"})
    if not door.is_far:  # there it takes a second and a half for each
        assert {door.ask(token) for token in (scene.cold, stranger())} == {"unavailable"}


def from_memory(scene: Scene, door: Door) -> None:
    poll(lambda: door.ask(stranger()) == "unavailable")
    assert (door.ask(scene.warm), door.ask(scene.cold)) == ("accepted", "unavailable")
    assert door.ask(scene.dead) in {"refused", "unavailable"}


def until_the_lease_is_over(scene: Scene, door: Door) -> None:
    asked_at = time.monotonic()
    while door.ask(scene.warm) == "accepted":
        assert asked_at - scene.broken_at < BOUND
        asked_at = time.monotonic()
    unavailable(scene, door)


def no_answer(scene: Scene, door: Door) -> None:
    assert door.ask(scene.warm, seconds=SOON) == "none"


def by_that_clock(scene: Scene, door: Door) -> None:
    """The tokens live half an hour, and the clock is an hour wrong."""
    expected = "refused" if scene.clock.seconds > 0 else "accepted"
    poll(lambda: {door.ask(token) for token in (scene.warm, scene.cold)} == {expected})
    assert {door.ask(token) for token in (scene.dead, stranger())} == {"refused"}


VERIFICATION: dict[str, Callable[[Scene, Door], None]] = {
    "goes on": goes_on,
    "goes on, 503 to unknown tokens": goes_on_for_known_tokens,
    "503": unavailable,
    "from memory, else 503": from_memory,
    "until the lease is over, then 503": until_the_lease_is_over,
    "no answer": no_answer,
    "by that clock": by_that_clock,
}


# What those of changes and pages say. `require_mended` looks at what came of it.


def creation_works(scene: Scene) -> None:
    made = scene.new_token()
    assert scene.doors["serve"][0].ask(made) == "accepted"


def creation_is_refused(scene: Scene) -> None:
    reply = scene.create()
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")


def creation_gets_no_answer(scene: Scene) -> None:
    assert scene.create(seconds=SOON) is None


def deletion_works(scene: Scene) -> None:
    assert scene.delete(scene.victim).status == 204
    for door in (*scene.doors["serve"], *scene.doors["host"]):
        assert door.ask(scene.victim, seconds=SOON) in {"refused", "none"}
    (far,) = scene.doors["far"]
    deleted_at = asked_at = time.monotonic()
    while far.ask(scene.victim, seconds=SOON) == "accepted":
        assert asked_at - deleted_at < BOUND
        asked_at = time.monotonic()


def deletion_is_refused(scene: Scene) -> None:
    reply = scene.delete(scene.victim)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")


def deletion_gets_no_answer(scene: Scene) -> None:
    assert scene.delete(scene.victim, seconds=SOON) is None


def page_status(expected: int | None) -> Callable[[Scene], None]:
    def look(scene: Scene) -> None:
        if expected is None and scene.server.is_dead:
            return
        try:
            status = scene.visitor.get(PAGE, seconds=SOON if expected is None else 20).status
        except OSError:
            status = None
        assert status == expected

    return look


CHANGES: dict[str, dict[str, Callable[[Scene], None]]] = {
    "creation": {
        "works": creation_works,
        "503, nothing happened": creation_is_refused,
        "no answer": creation_gets_no_answer,
        "no answer, may happen": creation_gets_no_answer,
    },
    "deletion": {
        "works": deletion_works,
        "503, nothing happened": deletion_is_refused,
        "503, may happen": deletion_is_refused,
        "no answer": deletion_gets_no_answer,
        "no answer, may happen": deletion_gets_no_answer,
    },
    "pages": {
        "shown": page_status(200),
        "503": page_status(503),
        "sign in again": page_status(303),
        "no answer": page_status(None),
    },
}


# How each part is broken, and mended.


@contextmanager
def locked(scene: Scene) -> Iterator[None]:
    with closing(sqlite3.connect(scene.data / "gatepass.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def full(place: str) -> Fault:
    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        if not scene.is_fillable:
            pytest.skip("mounting takes rights that this user does not have")
        filling = fill(scene.folder / place)
        if place == "journal":
            use_up_the_last_page(scene)
        yield
        filling.unlink()

    return fault


def use_up_the_last_page(scene: Scene) -> None:
    """The file may grow to the end of the page that it has."""
    while scene.delete(scene.new_token()).status == 204:
        pass
    scene.known = scene.token_ids()


def moved(path_of: Callable[[Scene], Path], *, at_start: bool = False) -> Fault:
    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        path = path_of(scene)
        if at_start:
            scene.stop()
        path.rename(path.with_name("aside"))
        if at_start:
            scene.start()
        yield
        path.with_name("aside").rename(path)

    return fault


@contextmanager
def cut_journal(scene: Scene) -> Iterator[None]:
    content = scene.journal.read_bytes()
    os.truncate(scene.journal, len(content) - 10)
    yield
    scene.journal.write_bytes(content)


@contextmanager
def damaged_database(scene: Scene) -> Iterator[None]:
    scene.stop()
    database = scene.data / "gatepass.db"
    shutil.copyfile(database, scene.folder / "whole.db")
    with database.open("r+b") as file:
        file.write(os.urandom(4096))
    scene.start()
    yield
    shutil.copyfile(scene.folder / "whole.db", database)


@contextmanager
def killed(scene: Scene) -> Iterator[None]:
    scene.server.kill()
    yield
    scene.server.start()


def stopped(processes_of: Callable[[Scene], list[int]]) -> Fault:
    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        processes = processes_of(scene)
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        scene.broken_at = time.monotonic()
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    return fault


def verifiers_of(scene: Scene) -> list[int]:
    found = []
    for door in (*scene.doors["host"], *scene.doors["far"]):
        if isinstance(door.place, Listener):
            found += door.place.workers()
        elif isinstance(door.place, Asking):
            found.append(door.place.process.pid)
    return found


@contextmanager
def cut_off(scene: Scene) -> Iterator[None]:
    scene.line.lose()
    yield
    scene.line.mend()


@contextmanager
def removed(scene: Scene) -> Iterator[None]:
    scene.command("verifiers", "remove", scene.verifier_id, "--data", str(scene.data))
    yield
    scene.open_far()


def wrong_here(seconds: int, *, is_last: bool = False) -> Fault:
    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        if not scene.has_own_clock:
            scene.restart(scene.clock)
        scene.set_clock(seconds)
        yield
        scene.set_clock(0)
        scene.sign_in()
        if is_last:
            scene.restart()

    return fault


@contextmanager
def wrong_there(scene: Scene) -> Iterator[None]:
    scene.far_clock.shift(60)
    yield
    scene.far_clock.shift(0)


FAULTS: dict[str, Fault] = {
    "another program locks the database": locked,
    "the disk of the database is full": full("disk"),
    "the database is moved away": moved(lambda scene: scene.data / "gatepass.db"),
    "`serve` is killed": killed,
    "`serve` is stopped, and goes on": stopped(lambda scene: [scene.server.pid]),
    "a verifier is stopped, and goes on": stopped(verifiers_of),
    "the network between a verifier and `serve`": cut_off,
    "a verifier's credential is removed": removed,
    "the clock of the server is set back": wrong_here(-3600),
    "the clock of the server is set forward": wrong_here(3600, is_last=True),
    "the clock of a verifier's machine is wrong": wrong_there,
    "the disk of the journal is full": full("journal"),
    "the journal is missing": moved(lambda scene: scene.journal),
    "the journal is cut off or damaged": cut_journal,
    "the key file is missing": moved(lambda scene: scene.data / "gatepass.keys"),
    "the database is damaged at the start": damaged_database,
    "the journal is missing at the start": moved(lambda scene: scene.journal, at_start=True),
    "the key file is missing at the start": moved(lambda scene: scene.data / "gatepass.keys", at_start=True),
}


@contextmanager
def mended_at_last(fault: AbstractContextManager[None]) -> Iterator[None]:
    """Mend also where a check failed, so that the next row tells of itself."""
    fault.__enter__()
    try:
        yield
    finally:
        fault.__exit__(None, None, None)


def test_every_row_has_a_fault_and_every_fault_a_row() -> None:
    assert list(rows("On SQLite")) == list(FAULTS)


@pytest.mark.long
@pytest.mark.parametrize("fails", FAULTS)
def test_when_a_part_fails_what_its_row_says_is_so(scene: Scene, fails: str) -> None:
    serve, host, far, creation, deletion, pages = rows("On SQLite")[fails]
    if scene.is_running:
        scene.prepare()
    with mended_at_last(FAULTS[fails](scene)):
        scene.broken_at = time.monotonic()
        # The first to be asked is the one whose time is counted.
        for column, said in (("far", far), ("serve", serve), ("host", host)):
            if said == "does not start":
                assert column not in scene.doors
            elif said == "no answer" and column not in scene.doors:
                assert scene.server.is_dead
            else:
                assert scene.doors[column]
                for door in scene.doors[column]:
                    VERIFICATION[said](scene, door)
        for column, said in (("creation", creation), ("deletion", deletion), ("pages", pages)):
            CHANGES[column][said](scene)
    if scene.is_running:
        require_mended(scene, creation, deletion)


def require_mended(scene: Scene, creation: str, deletion: str) -> None:
    """Nobody has to start anything anew, and nothing happened that was refused."""
    scene.require_whole()
    said = {poll(lambda door=door: door.ask(scene.victim)) for door in scene.all_doors}
    if deletion == "works":
        assert said == {"refused"}
    elif deletion in {"503, nothing happened", "no answer"}:
        assert said == {"accepted"}
    if creation in {"503, nothing happened", "no answer"}:
        assert scene.token_ids() <= scene.known


@pytest.mark.long
def test_at_last_everything_starts_and_is_whole(scene: Scene) -> None:
    if not scene.is_running:
        scene.stop()
        scene.start()
    scene.require_whole()
