"""The power goes at any write: with our schema and our code nothing acknowledged is lost."""

import os
import random
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest

from faults.disk import Disk, Operation, cut
from gatepass.errors import BadConfiguration, Unavailable
from gatepass.interfaces import Store, Transaction
from gatepass.model.secret import Secret
from gatepass.services.change_password import change_password
from gatepass.services.change_settings import change_settings
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_token import create_token
from gatepass.services.prune_tokens import prune_tokens
from gatepass.services.revoke_token import revoke_token
from gatepass.stores.sql import sqlite
from gatepass.stores.sql.sqlite import SqliteStore
from gatepass.testing.fakes import acting, add_person, knowing_password, make_deps
from support.server import EMAIL, PASSWORD, Server, make_installation

IMAGES = 4000 if os.environ.get("GATEPASS_SOAK") else 250
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  images are written by the thousand


def describe(store: Store) -> dict[str, object]:
    """Return everything that clients were told, as it is in a store."""
    connection = apsw.Connection(str(store.path), flags=apsw.SQLITE_OPEN_READONLY)  # type: ignore[attr-defined]
    with closing(connection) as database:
        tables = ("tokens", "users", "passwords", "settings", "events", "counters")
        return {table: database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables}


class NotingStore(SqliteStore):
    """A store that notes after each commit what is true from then on."""

    disk: Disk

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with super().write() as tx:
            yield tx
        self.disk.acknowledge(describe(self))


def workload(disk: Disk, path: Path, steps: int) -> None:
    """Do what people do."""
    store = NotingStore.create(path, vfs=disk.name)
    store.disk = disk
    deps = make_deps(store)
    people = [add_person(deps, f"person{number}@example.com", is_admin=True) for number in range(3)]
    chance, alive = random.Random(steps), []
    for number in range(steps):
        actor = knowing_password(deps, chance.choice(people).id)
        roll = chance.random()
        if roll < 0.5 or not alive:
            alive.append(
                create_token(deps, actor, lifetime_seconds=60, description="x" * chance.randrange(200)).token.id
            )
        elif roll < 0.8:
            revoke_token(deps, actor, alive.pop(chance.randrange(len(alive))))
        elif roll < 0.85:
            change_settings(deps, actor, {"tokens.retentionDays": 1 + number})
        elif roll < 0.9:
            change_user(deps, actor, people[number % 3].id, UserChanges(name=f"name {number}"))
        elif roll < 0.95:
            new = Secret(f"password number {number:04d}")
            change_password(deps, knowing_password(deps, people[0].id), current=_PASSWORD[-1], new=new)
            _PASSWORD.append(new)
        else:
            deps.clock.advance(days=1 + number * 2)
            prune_tokens(deps)
            alive = [each for each in alive if store_has(store, each)]
        if number % 40 == 39:
            store._writer.raw.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    store.close()


_PASSWORD: list[Secret] = []


def store_has(store: Store, token_id: object) -> bool:
    with store.read() as tx:
        token = tx.tokens.find(token_id)
        return token is not None and token.revoked_at is None and token.expires_at is not None


def images(monkeypatch: pytest.MonkeyPatch, count: int, level: str) -> Counter[str]:
    """Cut the power `count` times; return how often everything was there, something lost or damaged."""
    settings = tuple(line.replace("synchronous = FULL", f"synchronous = {level}") for line in sqlite._SETTINGS)
    monkeypatch.setattr(sqlite, "_SETTINGS", settings)
    if level != "FULL":
        monkeypatch.setattr(sqlite, "_KEPT", ["wal", {"NORMAL": 1, "OFF": 0}[level], 1])
    from gatepass.testing.fakes import PASSWORD as FIRST

    _PASSWORD[:] = [Secret(FIRST)]
    folder = Path(tempfile.mkdtemp(dir=FAST))
    disk = Disk(f"recording-{level}-{count}")
    try:
        workload(disk, folder / "gatepass.db", steps=120)
        chance = random.Random(count)
        first = next(number for number, each in enumerate(disk.log) if each.kind == "ack")
        return Counter(outcome(disk.log, chance.randrange(first + 1, len(disk.log) + 1), chance) for _ in range(count))
    finally:
        disk.unregister()
        shutil.rmtree(folder)


def outcome(log: list[Operation], at: int, chance: random.Random) -> str:
    """Cut the power at `log[at]`, open what is left with our own code, and compare."""
    files, acknowledged = cut(log, at, chance)
    upcoming = [each.state for each in log[at:] if each.kind == "ack"][:1]
    folder = Path(tempfile.mkdtemp(dir=FAST))
    try:
        folder.chmod(0o700)
        for name, content in files.items():
            if not name.endswith("-shm"):
                (folder / name).touch(0o600)
                (folder / name).write_bytes(content)
        try:
            with closing(SqliteStore(folder / "gatepass.db")) as store:
                if store.check_integrity():
                    return "damaged"
                # What was under way may have happened as a whole, never in part.
                found = describe(store)
                return "kept" if found == acknowledged or found in upcoming else "lost"
        except (BadConfiguration, Unavailable):
            return "damaged"
    finally:
        shutil.rmtree(folder)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_no_power_cut_loses_what_was_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    assert images(monkeypatch, IMAGES, "FULL") == {"kept": IMAGES}


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("level", ["NORMAL", "OFF"])
def test_the_rig_catches_a_database_that_syncs_less(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    found = images(monkeypatch, IMAGES // 5, level)
    assert found["lost"] + found["damaged"] > 0


def test_a_full_disk_refuses_changes_and_recovers_by_itself(tmp_path: Path) -> None:
    disk = Disk("full-disk")
    store = SqliteStore.create(tmp_path / "gatepass.db", vfs=disk.name)
    try:
        deps = make_deps(store)
        admin = add_person(deps, "admin@example.com", is_admin=True)
        made = create_token(deps, acting(admin), lifetime_seconds=60)
        for error in (apsw.FullError, apsw.IOError):
            before = describe(store)
            disk.fail = error
            for _ in range(3):
                with pytest.raises(Unavailable):
                    create_token(deps, acting(admin), lifetime_seconds=60)
                with pytest.raises(Unavailable):
                    revoke_token(deps, acting(admin), made.token.id)
                found = store.find_verification(made.token.id)
                assert found is not None
                assert not found.is_revoked
            disk.fail = None
            assert describe(store) == before
            assert create_token(deps, acting(admin), lifetime_seconds=60)
        assert store.check_integrity() == []
    finally:
        store.close()
        disk.unregister()


def test_no_reply_is_sent_before_its_commit_is_on_disk(tmp_path: Path) -> None:
    """Watched from outside: after the last write to the log comes a sync, and only then the reply."""
    make_installation(tmp_path / "data")
    trace = tmp_path / "trace"
    calls = "trace=pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg"
    with Server(tmp_path / "data") as server:
        command = ["strace", "-f", "-y", "-s", "60", "-e", calls, "-o", str(trace), "-p", str(server.pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as watching:
            assert "attached" in watching.stderr.readline()
            for _ in range(5):
                body = {"lifetimeSeconds": 60}
                assert server.request("POST", "/v4/apiAccessTokens", body, basic=(EMAIL, PASSWORD)).status == 201
            server.stop()
            watching.wait(timeout=30)
    unsynced, replies = False, 0
    for line in trace.read_text(errors="replace").splitlines():
        if "gatepass.db-wal" in line and "pwrite64" in line:
            unsynced = True
        elif "gatepass.db-wal" in line and re.search(r"\bf(data)?sync\(", line):
            unsynced = False
        elif "HTTP/1.1 201" in line:
            replies += 1
            assert not unsynced, line
    assert replies == 5
