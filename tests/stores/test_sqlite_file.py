"""The SQLite file: which ones are opened, what protects it, what happens when it is damaged."""

import os
import random
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.model.secret import generate_id
from gatepass.stores.sql import migrate, sqlite
from gatepass.stores.sql.sqlite import SqliteStore
from gatepass.testing.fakes import START
from gatepass.testing.records import keep_tokens, keep_users, make_event, make_token, make_user

NEXT = migrate.known_migrations()[-1].number + 1
FLIPS = 500 if os.environ.get("GATEPASS_SOAK") else 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "gatepass.db"
    SqliteStore.create(made).close()
    return made


def test_commits_are_on_disk_before_they_are_acknowledged(path: Path) -> None:
    with closing(SqliteStore(path)) as store, store._reader() as connection:
        assert connection.raw.pragma("journal_mode") == "wal"
        assert connection.raw.pragma("synchronous") == 2


def test_a_missing_database_is_never_made_by_opening_it(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="does not exist"):
        SqliteStore(tmp_path / "gatepass.db")
    assert list(tmp_path.iterdir()) == []


def test_a_database_is_never_made_over_another(path: Path) -> None:
    with pytest.raises(FileExistsError):
        SqliteStore.create(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_database_that_others_can_reach_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(BadConfiguration, match="others can reach it"):
        SqliteStore(path)


def test_a_directory_that_others_can_write_is_refused(path: Path) -> None:
    path.parent.chmod(0o777)
    with pytest.raises(BadConfiguration, match="can be written by others"):
        SqliteStore(path)


def test_every_file_of_a_database_is_private(path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(SqliteStore(path)) as store:
            keep_users(store, make_user("a@example.com"))
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {
        "gatepass.db": 0o600,
        "gatepass.db-wal": 0o600,
        "gatepass.db-shm": 0o600,
        "gatepass.db-words": 0o600,
    }


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(apsw.Connection(str(other))) as database:
        database.execute("CREATE TABLE t (x)")
    other.chmod(0o600)
    with pytest.raises(BadConfiguration, match="not made by Gatepass"):
        SqliteStore(other)


def test_a_newer_schema_than_the_code_is_refused(path: Path) -> None:
    set_version(path, 999)
    with pytest.raises(BadConfiguration, match="has schema 999"):
        SqliteStore(path)
    with pytest.raises(BadConfiguration, match="has schema 999"):
        sqlite.upgrade(path)


def test_an_older_schema_asks_for_an_upgrade(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_migrations(monkeypatch, migrate.Migration(NEXT, "9999_more.sql", "CREATE TABLE more (x INTEGER);\n"))
    with pytest.raises(BadConfiguration) as caught:
        SqliteStore(path)
    assert caught.value.hint == "run `gatepass db upgrade`"
    assert sqlite.upgrade(path) == ["9999_more.sql"]
    assert sqlite.upgrade(path) == []
    SqliteStore(path).close()


def test_a_migration_that_fails_half_way_did_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = migrate.Migration(
        NEXT, "9999_broken.sql", "CREATE TABLE more (x INTEGER);\nCREATE TABLE users (x INTEGER);\n"
    )
    with_migrations(monkeypatch, broken)
    with pytest.raises(apsw.SQLError):
        sqlite.upgrade(path)
    with closing(apsw.Connection(str(path))) as database:
        assert database.pragma("user_version") == NEXT - 1
        assert database.execute("SELECT name FROM sqlite_schema WHERE name = 'more'").fetchall() == []


def test_migrations_are_numbered_from_one_without_gaps() -> None:
    assert [each.number for each in migrate.known_migrations()] == list(range(1, len(migrate.known_migrations()) + 1))


def test_a_sqlite_that_can_lose_commits_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(BadConfiguration, match=r"needs 3\.51\.3 or newer"):
        SqliteStore(path)


def test_what_another_process_commits_is_seen_at_once(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        user = make_user("a@example.com")
        keep_users(store, user)
        token = make_token(user)
        keep_tokens(store, token)
        assert store.find_verification(token.id) is not None
        code = (
            "import sys; from pathlib import Path; from uuid import UUID\n"
            "from gatepass.stores.sql.sqlite import SqliteStore\n"
            "from gatepass.testing.fakes import START\n"
            "with SqliteStore(Path(sys.argv[1])).write() as tx: print(tx.tokens.revoke(UUID(sys.argv[2]), START))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(path), str(token.id)], capture_output=True, text=True, check=True
        )
        assert done.stdout == "True\n"
        found = store.find_verification(token.id)
        assert found is not None
        assert found.is_revoked


def test_a_writer_that_waits_too_long_is_unavailable_and_readers_go_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LOCK_SECONDS", 0.1)
    with closing(SqliteStore(path)) as store, closing(apsw.Connection(str(path))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable), store.write():
            pass
        store.check()
        assert store.find_verification(generate_id(START)) is None
        other.execute("ROLLBACK")
        with store.write() as tx:
            tx.events.add(make_event())


def test_a_file_that_is_gone_or_garbage_is_unavailable_never_an_answer(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        path.with_name("gatepass.db-wal").unlink(missing_ok=True)
        path.write_bytes(os.urandom(path.stat().st_size))
        store._readers.clear()
        with pytest.raises(Unavailable):
            store.find_verification(generate_id(START))
        with pytest.raises(Unavailable):
            store.check()


def test_integrity_is_checked_in_full(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        assert store.check_integrity() == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(FLIPS))
def test_a_flipped_byte_never_accepts_a_deleted_token(filled: tuple[bytes, list], tmp_path: Path, seed: int) -> None:
    """It may be refused, unavailable or unnoticed; it is never a wrong acceptance."""
    content, dead = filled
    chance = random.Random(seed)
    damaged = bytearray(content)
    damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    path = tmp_path / "damaged.db"
    path.touch(0o600)
    path.write_bytes(bytes(damaged))
    try:
        store = SqliteStore(path)
    except (BadConfiguration, Unavailable):
        return
    with closing(store):
        for token in dead:
            try:
                found = store.find_verification(token.id)
            except Exception:  # noqa: BLE001  the server answers 503 to whatever this is
                continue
            assert found is None or found.is_revoked or found.mac != token.mac


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list]:
    """The bytes of a database with live and deleted tokens, and the deleted ones."""
    path = tmp_path_factory.mktemp("filled") / "gatepass.db"
    store = SqliteStore.create(path)
    user = make_user("a@example.com")
    tokens = [make_token(user, description=f"number {number}") for number in range(40)]
    keep_users(store, user)
    keep_tokens(store, *tokens)
    with store.write() as tx:
        for token in tokens[20:]:
            tx.tokens.revoke(token.id, START)
    store.close()
    return path.read_bytes(), tokens[20:]


def set_version(path: Path, number: int) -> None:
    with closing(apsw.Connection(str(path))) as database:
        database.execute(f"PRAGMA user_version = {number}")


def with_migrations(monkeypatch: pytest.MonkeyPatch, *more: migrate.Migration) -> None:
    known = (*migrate.known_migrations(), *more)
    monkeypatch.setattr(migrate, "known_migrations", lambda: known)
