"""A database comes back from a backup, and nobody who was ended since comes back with it.

On real processes: `serve`, `gatepass verifier` and an embedded verifier over one installation.
"""

import http.client
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import pytest

from gatepass.connect import EmbeddedVerifier, open_verifier
from gatepass.errors import Unavailable
from gatepass.model.verdict import Accepted
from gatepass.stores.journal import Journal
from support.listener import Listener
from support.server import PASSWORD, Server, gatepass, make_installation
from support.waiting import poll

OWN = "/v4/apiAccessTokens"


@dataclass
class Scene:
    """An installation with a backup, and what was ended since."""

    data: Path
    backup: Path
    live: str
    dead: dict[str, str] = field(default_factory=dict)
    """Values that must be refused, by why."""
    person: str = ""

    @property
    def journal(self) -> Path:
        return self.data / "gatepass.journal"

    def command(self, *arguments: str, **more: object) -> object:
        return gatepass("db", *arguments, "--data", str(self.data), **more)


@pytest.fixture
def scene(original: Scene, tmp_path: Path) -> Scene:
    """A scene of one's own."""
    shutil.copytree(original.data.parent, tmp_path, dirs_exist_ok=True)
    return replace(original, data=tmp_path / "data", backup=tmp_path / "backup.db")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Back up, then delete a token, disable a person, delete another, and take one disabling back."""
    folder = tmp_path_factory.mktemp("scene")
    data, backup = folder / "data", folder / "backup.db"
    make_installation(data)
    with Server(data) as server:
        assert server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True}).status == 200
        made = Scene(data, backup, server.create_token(lifetimeSeconds=-1)[0])
        value, info = server.create_token(lifetimeSeconds=-1)
        people = {name: server.create_person(f"{name}@example.com")["id"] for name in ("maria", "bob", "eve")}
        tokens = {name: server.create_token(basic=(f"{name}@example.com", PASSWORD))[0] for name in people}
        assert gatepass("db", "backup", str(backup), "--data", str(data)).returncode == 0
        assert server.admin("DELETE", f"{OWN}/{info['tokenId']}").status == 204
        assert server.admin("PATCH", f"/v4/people/{people['maria']}", {"isDisabled": True}).status == 200
        assert server.admin("DELETE", f"/v4/people/{people['bob']}").status == 204
        for disabled in (True, False):
            assert server.admin("PATCH", f"/v4/people/{people['eve']}", {"isDisabled": disabled}).status == 200
        made.dead = {"deleted": value, "owner-disabled": tokens["maria"], "owner-deleted": tokens["bob"]}
        made.person = tokens["eve"]
    return made


def copy_over(scene: Scene) -> None:
    """Put the backup in place as people do who have not read how: over the file, with the log still there."""
    (scene.data / "gatepass.db-wal").touch(0o600)
    shutil.copyfile(scene.backup, scene.data / "gatepass.db")


def move_over(scene: Scene) -> None:
    """Another file under the same name."""
    shutil.copyfile(scene.backup, scene.data / "new")
    (scene.data / "new").chmod(0o600)
    (scene.data / "new").rename(scene.data / "gatepass.db")


def command(scene: Scene) -> None:
    done = scene.command("restore", str(scene.backup))
    assert done.returncode == 0, done.stderr
    assert "replayed: 1 token deleted\nreplayed: 1 person disabled\nreplayed: 1 person deleted\n" in done.stdout


def verify(door: Server | Listener, value: str) -> int:
    """Ask a door about a token; return the status."""
    with closing(http.client.HTTPConnection("127.0.0.1", int(door.url.rpartition(":")[2]), timeout=30)) as connection:
        connection.request("GET", "/verify", headers={"Authorization": f"Bearer {value}"})
        return connection.getresponse().status


@contextmanager
def embedding(data: Path) -> Iterator[EmbeddedVerifier]:
    """Open an embedded verifier; that its last uses may have no place to go is no fault of its."""
    verifier = open_verifier(data)
    try:
        yield verifier
    finally:
        with suppress(Unavailable):
            verifier.close()


def verdicts(scene: Scene) -> dict[str, set[int]]:
    """Return what an embedded verifier says of each token. It opens the database as every door does."""
    with embedding(scene.data) as embedded:
        return {name: {_embedded(embedded, value)} for name, value in values(scene).items()}


def verdicts_everywhere(scene: Scene) -> dict[str, set[int]]:
    """Return what every kind of verifier says of each token."""
    with Server(scene.data) as server, Listener(scene.data) as listener:
        found = {name: {verify(server, value), verify(listener, value)} for name, value in values(scene).items()}
    return {name: found[name] | said for name, said in verdicts(scene).items()}


def values(scene: Scene) -> dict[str, str]:
    return {"live": scene.live, "enabled again": scene.person, **scene.dead}


def _embedded(verifier: object, value: str) -> int:
    try:
        return 200 if isinstance(verifier.verify(value), Accepted) else 401
    except Unavailable:
        return 503


AS_IT_WAS = {"live": {200}, "enabled again": {200}, "deleted": {401}, "owner-disabled": {401}, "owner-deleted": {401}}
NO_ANSWER = {name: {503} for name in AS_IT_WAS}


@pytest.mark.parametrize("put_back", [command, copy_over, pytest.param(move_over, marks=pytest.mark.long)])
def test_what_was_ended_since_the_backup_stays_ended(scene: Scene, put_back: object) -> None:
    put_back(scene)
    assert verdicts_everywhere(scene) == AS_IT_WAS
    with Server(scene.data) as server:
        told = [(each["action"], each["details"]) for each in server.admin("GET", "/v4/auditEvents").json["data"]]
    (replayed,) = [details for action, details in told if action == "journal.replayed"]
    assert (replayed["tokens"], replayed["disabled"], replayed["deleted"]) == (1, 1, 1)
    assert ("database.restored" in dict(told)) == (put_back is command)
    assert scene.command("check").stdout == "ok\n"


@pytest.mark.long
def test_a_backup_copied_beside_the_log_of_the_killed_database_revives_nobody(scene: Scene) -> None:
    """Nobody should do that: the log belongs to another database. Whatever comes of it, it is no acceptance."""
    with Server(scene.data) as server:
        value, info = server.create_token()
        backup = scene.backup.with_name("later.db")
        assert gatepass("db", "backup", str(backup), "--data", str(scene.data)).returncode == 0
        assert server.admin("DELETE", f"{OWN}/{info['tokenId']}").status == 204
        server.kill()
    assert (scene.data / "gatepass.db-wal").stat().st_size > 0
    shutil.copyfile(backup, scene.data / "gatepass.db")
    with embedding(scene.data) as embedded:
        assert {_embedded(embedded, dead) for dead in (value, *scene.dead.values())} <= {401, 503}


@pytest.mark.long
@pytest.mark.parametrize("first", ["listener", "embedded", "command"])
def test_whoever_opens_it_first_repeats_what_is_lacking(scene: Scene, first: str) -> None:
    copy_over(scene)
    value = scene.dead["deleted"]
    if first == "listener":
        with Listener(scene.data) as listener:
            assert verify(listener, value) == 401
    elif first == "embedded":
        with open_verifier(scene.data) as verifier:
            assert _embedded(verifier, value) == 401
    else:
        assert gatepass("key", "list", "--data", str(scene.data)).returncode == 0
    assert verdicts(scene) == AS_IT_WAS


@pytest.mark.long
def test_restoring_the_same_backup_again_and_again_counts_each_time(scene: Scene) -> None:
    seen = []
    for _ in range(3):
        assert scene.command("restore", str(scene.backup)).returncode == 0
        seen.append(Journal(scene.journal).salvage()[0][-1].restores)
    assert seen == sorted(set(seen))
    assert verdicts(scene) == AS_IT_WAS


@pytest.mark.long
def test_a_restore_is_refused_while_serve_runs(scene: Scene) -> None:
    with Server(scene.data) as server:
        refused = scene.command("restore", str(scene.backup))
        assert (refused.returncode, "another `gatepass serve`" in refused.stderr) == (1, True)
        assert verify(server, scene.dead["deleted"]) == 401


def test_a_backup_that_is_damaged_or_none_is_refused_and_nothing_changes(scene: Scene, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in scene.data.iterdir()}
    content = bytearray(scene.backup.read_bytes())
    content[8192:12288] = os.urandom(4096)
    for bad in (bytes(content), b"no database at all" * 1000, b""):
        (tmp_path / "bad.db").write_bytes(bad)
        assert scene.command("restore", str(tmp_path / "bad.db")).returncode == 1
    assert scene.command("restore", str(tmp_path / "none.db")).returncode == 1
    kept = {path.name: path.read_bytes() for path in scene.data.iterdir() if path.name in before}
    assert kept == before
    assert not list(scene.data.glob(".restore-*"))


def test_verifiers_that_run_during_a_restore_answer_503_until_they_are_started_anew(scene: Scene) -> None:
    with Listener(scene.data) as listener, embedding(scene.data) as embedded:
        assert (verify(listener, scene.live), _embedded(embedded, scene.live)) == (200, 200)
        assert (verify(listener, scene.live), _embedded(embedded, scene.live)) == (200, 200)  # from memory
        command(scene)
        assert (verify(listener, scene.live), _embedded(embedded, scene.live)) == (503, 503)
        with Server(scene.data) as server:
            assert verify(server, scene.live) == 200
            assert (verify(listener, scene.live), _embedded(embedded, scene.live)) == (503, 503)


@pytest.mark.long
def test_the_database_that_was_there_is_kept_whole(scene: Scene) -> None:
    command(scene)
    (kept,) = [path for path in scene.data.glob("gatepass.db.until-*") if path.suffix[1:].isdigit()]
    (scene.data / "gatepass.db").unlink()
    kept.rename(scene.data / "gatepass.db")
    assert verdicts(scene) == AS_IT_WAS


def _foreign(scene: Scene) -> bytes:
    make_installation(scene.data.with_name("other"))
    return (scene.data.with_name("other") / "gatepass.journal").read_bytes()


def _damage(scene: Scene) -> None:
    """Damage a record, and put the backup in place that needs it."""
    content = bytearray(scene.journal.read_bytes())
    content[content.index(b"token-deleted")] ^= 1
    scene.journal.write_bytes(bytes(content))
    copy_over(scene)


LOSSES = {
    "missing": lambda scene: scene.journal.unlink(),
    "of another installation": lambda scene: scene.journal.write_bytes(_foreign(scene)),
    "older than the database": lambda scene: os.truncate(scene.journal, Journal(scene.journal).beginning().size),
    "damaged in the middle": _damage,
}


@pytest.mark.long
@pytest.mark.parametrize("loss", LOSSES)
def test_without_its_journal_nothing_is_answered_until_that_is_accepted(scene: Scene, loss: str) -> None:
    LOSSES[loss](scene)
    assert verdicts(scene) == NO_ANSWER
    accepted = scene.command("accept-restore", "--before", "2036-01-01", "--yes")
    assert accepted.returncode == 0, accepted.stderr
    assert verdicts(scene)["live"] == {200}


def test_a_server_without_its_journal_answers_503_until_that_is_accepted_while_it_runs(scene: Scene) -> None:
    scene.journal.unlink()
    assert verdicts_everywhere(scene) == NO_ANSWER
    with Server(scene.data) as server:
        assert server.request("GET", "/readyz").status == 503
        assert server.request("GET", "/livez").status == 200
        assert server.admin("GET", OWN).status == 503
        assert server.admin("PATCH", "/v4/settings", {"tokens.retentionDays": 9}).status == 503
        assert scene.command("accept-restore", "--before", "2036-01-01", stdin="n\n").returncode == 1
        assert verify(server, scene.live) == 503
        early = scene.command("accept-restore", "--before", "2020-01-01", "--yes")
        assert (early.returncode, "which is not before 2020-01-01" in early.stderr) == (1, True)
        assert verify(server, scene.live) == 503
        accepted = scene.command("accept-restore", "--before", "2036-01-01", "--yes", "--json")
        assert accepted.returncode == 0, accepted.stderr
        poll(lambda: server.request("GET", "/readyz").status == 200)
        assert verify(server, scene.live) == 200
        (event,) = [
            each for each in server.admin("GET", "/v4/auditEvents").json["data"] if each["action"] == "restore.accepted"
        ]
        assert event["credential"] == "console"
        assert event["details"]["reason"] == json.loads(accepted.stdout)["reason"]
        _, info = server.create_token()
        assert server.admin("DELETE", f"{OWN}/{info['tokenId']}").status == 204
    again = scene.command("accept-restore", "--before", "2036-01-01", "--yes")
    assert (again.returncode, "nothing to accept" in again.stderr) == (1, True)
    assert [UUID(info["tokenId"])] == [subject for _, subject in Journal(scene.journal).salvage()[0][-1].entries]


@pytest.mark.long
def test_a_backup_from_before_the_new_journal_is_not_let_in_by_it(scene: Scene) -> None:
    scene.journal.unlink()
    assert scene.command("accept-restore", "--before", "2036-01-01", "--yes").returncode == 0
    done = scene.command("restore", str(scene.backup))
    assert (done.returncode, "is not the revocation journal" in done.stderr) == (1, True)
    assert verdicts(scene) == NO_ANSWER


@pytest.mark.long
def test_what_an_old_journal_still_tells_is_repeated_when_a_restore_is_accepted(scene: Scene) -> None:
    """A database that knows no journal, beside the right one."""
    copy_over(scene)
    with closing(sqlite3.connect(scene.data / "gatepass.db")) as database, database:
        database.execute("DELETE FROM journal")
    assert verdicts(scene) == NO_ANSWER
    assert "1 token deleted" in scene.command("accept-restore", "--before", "2036-01-01", "--yes").stdout
    assert verdicts(scene) == AS_IT_WAS


NEWER = ("0007_journal", "0008_followers", "0009_providers", "0010_devices", "0011_console_passwords")
APPLIED = "".join(f"applied {each}.sql\n" for each in NEWER)


def before_journals(scene: Scene) -> None:
    """Take the database back to the schema that had no journal."""
    with closing(sqlite3.connect(scene.data / "gatepass.db")) as database, database:
        for table in ("journal", "followers", "spent", "devices"):
            database.execute(f"DROP TABLE {table}")
        for index in ("users_subject", "users_provider", "sessions_reference"):
            database.execute(f"DROP INDEX {index}")
        for column in ("provider", "subject", "may_generate", "lost", "checked_at"):
            database.execute(f"ALTER TABLE users DROP COLUMN {column}")
        for column in ("provider", "reference"):
            database.execute(f"ALTER TABLE sessions DROP COLUMN {column}")
        database.execute("ALTER TABLE passwords DROP COLUMN on_console")
        database.execute("PRAGMA user_version = 6")


def test_an_upgrade_begins_a_journal_where_there_was_none(scene: Scene) -> None:
    before_journals(scene)
    scene.journal.unlink()
    assert scene.command("upgrade").stdout == f"{APPLIED}began the revocation journal {scene.journal}\n"
    assert verdicts(scene) == AS_IT_WAS
    assert scene.command("upgrade").stdout == "nothing to do\n"


@pytest.mark.long
def test_an_upgrade_begins_none_beside_a_journal_that_is_there(scene: Scene) -> None:
    """Then the database is a backup from before journals, and lacks what this one tells."""
    before_journals(scene)
    assert scene.command("upgrade").stdout == APPLIED
    assert verdicts(scene) == NO_ANSWER
