"""The power goes at any write of database and journal: who was ended stays ended, also after a restore."""

import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from faults.disk import Disk, Operation, cut
from gatepass.model.secret import generate_id
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_token import create_token
from gatepass.services.replay_journal import replay_journal
from gatepass.services.revoke_token import revoke_token
from gatepass.stores import journal as journal_module
from gatepass.stores.journal import Journal
from gatepass.stores.journalled import JournalledStore
from gatepass.stores.sql.sqlite import SqliteStore
from gatepass.testing.fakes import START, acting, add_person, make_deps

IMAGES = 4000 if os.environ.get("GATEPASS_SOAK") else 250
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
DATABASE, JOURNAL = "gatepass.db", "gatepass.journal"
STEPS = 60


class NotedOs:
    """The module `os` for the journal, whose writes the disk remembers."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        self.disk.note(Operation("write", JOURNAL, offset, bytes(data)))
        return os.pwrite(descriptor, data, offset)

    def ftruncate(self, descriptor: int, size: int) -> None:
        self.disk.note(Operation("truncate", JOURNAL, size))
        os.ftruncate(descriptor, size)

    def fdatasync(self, descriptor: int) -> None:
        os.fdatasync(descriptor)
        self.disk.note(Operation("sync", JOURNAL))


@dataclass(frozen=True)
class State:
    """Who is ended."""

    dead: frozenset[UUID]
    disabled: frozenset[UUID]


@dataclass
class Recording:
    """What reached the disk, and a backup from before it all."""

    log: list[Operation]
    backup: bytes
    tokens: list[UUID]
    people: list[UUID]


@contextmanager
def opened(folder: Path, *, vfs: str | None = None) -> Iterator[JournalledStore]:
    store = SqliteStore(folder / DATABASE, vfs=vfs)
    journal = Journal(folder / JOURNAL)
    with closing(JournalledStore(store, journal, replay=replay_journal, now=lambda: START)) as made:
        yield made


def state_of(store: JournalledStore, recording: Recording) -> State:
    with store.read() as tx:
        dead = frozenset(each for each in recording.tokens if tx.tokens.find(each).revoked_at is not None)
        return State(dead, frozenset(each for each in recording.people if tx.users.find(each).disabled_at is not None))


def record(disk: Disk, folder: Path) -> Recording:
    """Delete tokens, disable and enable people, on a disk that remembers."""
    inner = SqliteStore.create(folder / DATABASE, vfs=disk.name)
    with inner.write() as tx:
        tx.journal.save(Journal(folder / JOURNAL).create(generate_id(START), START))
    inner.close()
    with opened(folder, vfs=disk.name) as store:
        deps = make_deps(store)
        admin = add_person(deps, "admin@example.com", is_admin=True)
        people = [add_person(deps, f"person{number}@example.com").id for number in range(3)]
        tokens = [create_token(deps, acting(admin), lifetime_seconds=60).token.id for _ in range(STEPS)]
        store._store.backup(folder / "backup", lambda done, total: None)
        made = Recording(disk.log, (folder / "backup").read_bytes(), tokens, people)
        disk.acknowledge(state_of(store, made))
        chance = random.Random(STEPS)
        for token in tokens:
            if chance.random() < 0.6:
                revoke_token(deps, acting(admin), token)
            else:
                person = chance.choice(people)
                disabled = person in state_of(store, made).disabled
                change_user(deps, acting(admin), person, UserChanges(is_disabled=not disabled))
            disk.acknowledge(state_of(store, made))
    return made


def outcome(recording: Recording, at: int, chance: random.Random) -> str:
    """Cut the power at `log[at]`; look at what is left, and at the backup with the journal that is left."""
    files, acknowledged = cut(recording.log, at, chance)
    upcoming = next((each.state for each in recording.log[at:] if each.kind == "ack"), acknowledged)
    for restored in (False, True):
        folder = Path(tempfile.mkdtemp(dir=FAST))
        try:
            names = [name for name in files if name.startswith(DATABASE) and not name.endswith("-shm")]
            content = {DATABASE: recording.backup} if restored else {name: files[name] for name in names}
            for name, data in (content | {JOURNAL: files[JOURNAL]}).items():
                (folder / name).touch(0o600)
                (folder / name).write_bytes(data)
            with opened(folder) as store:
                if store.trouble is not None:
                    return f"unusable: {store.trouble}"
                found = state_of(store, recording)
        finally:
            shutil.rmtree(folder)
        if not acknowledged.dead <= found.dead or not found.dead <= upcoming.dead:
            return "a token came back, or went by itself"
        if found.disabled not in {acknowledged.disabled, upcoming.disabled}:
            # An enabling that nobody was told of may be lost to a restore, and that alone.
            return "a person came back, or went by themselves"
    return "kept"


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Recording]:
    folder = Path(tempfile.mkdtemp(dir=FAST))
    disk = Disk(f"journal-{request.node.name}"[:60])
    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "os", getattr(request, "param", NotedOs)(disk))
        made = record(disk, folder)
    disk.unregister()
    yield made
    shutil.rmtree(folder)


def outcomes(recording: Recording) -> Counter[str]:
    first = next(place for place, each in enumerate(recording.log) if each.kind == "ack")
    chance = random.Random(IMAGES)
    return Counter(
        outcome(recording, chance.randrange(first + 1, len(recording.log) + 1), chance) for _ in range(IMAGES)
    )


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_no_power_cut_brings_back_who_was_ended(recording: Recording) -> None:
    assert outcomes(recording) == {"kept": IMAGES}


class Unsynced(NotedOs):
    """A journal that is not synced."""

    def fdatasync(self, descriptor: int) -> None:
        pass


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("recording", [Unsynced], indirect=True)
def test_the_rig_catches_a_journal_that_is_not_synced(recording: Recording) -> None:
    assert outcomes(recording)["kept"] < IMAGES
