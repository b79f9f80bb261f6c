"""What `gatepass doctor` finds. On real installations, each with one thing wrong."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gatepass.model.actor import CONSOLE
from gatepass.model.secret import Secret
from gatepass.model.token import CreatedToken
from gatepass.server.doctor import CHECKS, examine
from gatepass.server.doctor.finding import Finding, Level
from gatepass.server.doctor.upstream import examine_upstream
from gatepass.server.installation import create_installation, open_deps, opened, serve_lock
from gatepass.server.settings import Config, ServerConfig, SignInConfig, StoreConfig, load_config
from gatepass.services.change_settings import change_settings
from gatepass.services.create_token import create_token
from gatepass.testing.fakes import knowing_password
from gatepass.verifier.remote import Upstream
from support.faketime import WallClock
from support.oauth import add_verifier
from support.server import Server, gatepass
from support.small_disk import small_disk

PROXIED = ServerConfig(public_url="https://tokens.example.com", trusted_proxies=("127.0.0.1",))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CreatedToken]:
    data = tmp_path_factory.mktemp("original") / "data"
    password = Secret("a long enough password")
    create_installation(data, SignInConfig(), email="admin@example.com", password=password, enable_tokens=True)
    deps = open_deps(data, Config())
    with closing(deps.store):
        with deps.store.read() as tx:
            admin = tx.users.find_by_email("admin@example.com")
        assert admin
        return data, create_token(deps, knowing_password(deps, admin.id), lifetime_seconds=-1)


@pytest.fixture
def data(original: tuple[Path, CreatedToken], tmp_path: Path) -> Path:
    shutil.copytree(original[0], tmp_path / "data")
    return tmp_path / "data"


def found(data: Path, server: ServerConfig = PROXIED) -> dict[str, Finding]:
    return dict(examine(Config(server=server, store=StoreConfig(data=str(data)))))


def not_ok(data: Path, server: ServerConfig = PROXIED) -> dict[str, tuple[Level, str]]:
    return {name: (each.level, each.said) for name, each in found(data, server).items() if each.level is not Level.OK}


def sql(data: Path, statement: str) -> None:
    with closing(sqlite3.connect(data / "gatepass.db")) as database, database:
        database.execute(statement)


def test_on_a_whole_installation_only_the_journals_place_is_worth_a_word(data: Path) -> None:
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    assert list(found(data)) == list(CHECKS)
    assert {name: level for name, (level, _) in not_ok(data).items()} == {"journal disk": Level.WARNING}
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


def test_no_finding_holds_a_secret(data: Path, original: tuple[Path, CreatedToken]) -> None:
    (data / "gatepass.keys").chmod(0o644)
    said = str(found(data))
    keys = [part for part in (data / "gatepass.keys").read_text().split('"') if len(part) == 44]
    assert len(keys) == 2
    for secret in (original[1].value.reveal(), *keys):
        assert secret not in said


def _truncate_database(data: Path) -> None:
    os.truncate(data / "gatepass.db", 40_960)


def _damage_database(data: Path) -> None:
    """Cross some pages out."""
    with (data / "gatepass.db").open("r+b") as file:
        file.seek(4096 * 20)
        file.write(os.urandom(4096 * 4))


def _pending(data: Path) -> None:
    sql(data, "PRAGMA user_version = 6")


def _newer(data: Path) -> None:
    sql(data, "PRAGMA user_version = 99")


def _lose_pepper(data: Path) -> None:
    sql(data, "UPDATE tokens SET pepper = 7")


def _set_clock_back(data: Path) -> None:
    sql(data, "UPDATE events SET at = at + 3600000")


def _lag_behind_journal(data: Path) -> None:
    shutil.copyfile(data / "gatepass.db", data.parent / "old.db")
    with opened(load_config({"store.data": str(data)}, environment={})) as deps:
        change_settings(deps, CONSOLE, {"apiAccessTokens.enabled": False})
        change_settings(deps, CONSOLE, {"apiAccessTokens.enabled": True})
    shutil.copyfile(data.parent / "old.db", data / "gatepass.db")


CASES: dict[str, tuple[Callable[[Path], object], str, Level, str]] = {
    "mode of the keys": (lambda data: (data / "gatepass.keys").chmod(0o644), "files", Level.WRONG, "has mode 0644"),
    "mode of the directory": (lambda data: data.chmod(0o777), "files", Level.WRONG, "can be written by others"),
    "no keys": (lambda data: (data / "gatepass.keys").unlink(), "keys", Level.WRONG, "does not exist"),
    "bad keys": (lambda data: (data / "gatepass.keys").write_text("{}"), "keys", Level.WRONG, "is damaged"),
    "a pepper lost": (_lose_pepper, "keys", Level.WRONG, "and 1 tokens and verifiers need it"),
    "no database": (lambda data: (data / "gatepass.db").unlink(), "database", Level.WRONG, "does not exist"),
    "half a database": (_truncate_database, "database", Level.WRONG, "the database failed"),
    "damage": (_damage_database, "integrity", Level.WRONG, "it is damaged"),
    "an old schema": (_pending, "database", Level.WRONG, "has the old schema 6"),
    "a new schema": (_newer, "database", Level.WRONG, "has schema 99"),
    "no journal": (lambda data: (data / "gatepass.journal").unlink(), "journal", Level.WRONG, "is missing"),
    "an old database": (_lag_behind_journal, "journal", Level.WARNING, "the database lacks 3 records"),
    "a clock set back": (_set_clock_back, "clock", Level.WRONG, "s after this machine's time"),
    "nobody may": (lambda data: sql(data, "UPDATE users SET is_admin = 0"), "generating", Level.WRONG, "nobody may"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_found_and_comes_with_a_hint(data: Path, case: str) -> None:
    breaks, check, level, said = CASES[case]
    breaks(data)
    finding = found(data)[check]
    assert finding.level is level, finding
    assert said in finding.said
    assert finding.hint


def test_what_hangs_on_the_database_is_skipped_and_the_rest_is_looked_at(data: Path) -> None:
    (data / "gatepass.db").unlink()
    levels = {name: finding.level for name, finding in found(data).items()}
    assert {name for name, level in levels.items() if level is Level.SKIPPED} == {
        "integrity", "journal", "keys", "clock", "generating", "bound",
    }  # fmt: skip
    assert levels["proxies"] is Level.OK


def test_a_retired_database_is_told_of(data: Path) -> None:
    with closing(open_deps(data, Config()).store):
        (data / "gatepass.db-words").write_bytes(b"\xff" * 8 + bytes(8))
        assert "another database was put in place" in found(data)["words"].said


def test_a_server_is_seen_without_being_disturbed(data: Path) -> None:
    assert found(data)["serve"].said == "never ran here"
    with serve_lock(data):
        assert found(data)["serve"].said == "is running"
    assert found(data)["serve"].said == "is not running"


def test_a_disk_that_is_nearly_full_is_found(data: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=1024) as place:
        shutil.move(data / "gatepass.journal", place / "journal")
        config = Config(server=PROXIED, store=StoreConfig(data=str(data), journal=str(place / "journal")))
        told = dict(examine(config))
    assert told["disk space"].level is Level.WRONG
    assert told["disk space"].said == f"0 MiB are free in {place}"
    assert told["journal disk"].level is Level.OK


def test_settings_are_told(data: Path) -> None:
    with opened(load_config({"store.data": str(data)}, environment={})) as deps:
        change_settings(deps, CONSOLE, {"apiAccessTokens.enabled": False, "verifiers.graceSeconds": 60})
    told = not_ok(data)
    assert told["generating"] == (Level.WARNING, "tokens are switched off: none is accepted")
    assert told["bound"][1].endswith("within 5 s, and 60 s more where a verifier asks for that")


@pytest.mark.parametrize(
    ("server", "check", "level", "said"),
    [
        (ServerConfig(), "public url", Level.WARNING, "is not set"),
        (replace(PROXIED, public_url="http://x"), "public url", Level.WARNING, "is plain HTTP"),
        (replace(PROXIED, trusted_proxies=()), "proxies", Level.WARNING, "so there is a proxy"),
        (replace(PROXIED, trusted_proxies=("10.0.0.1", "::/0")), "proxies", Level.WRONG, "::/0 is nearly everybody"),
        (replace(PROXIED, public_url="", listen="0.0.0.0:80"), "listen", Level.WRONG, "reachable from other machines"),
        (replace(PROXIED, insecure_http=True), "listen", Level.WARNING, "insecure_http is on"),
    ],
)
def test_the_configuration_is_looked_at(data: Path, server: ServerConfig, check: str, level: Level, said: str) -> None:
    told = not_ok(data, server)[check]
    assert told[0] is level
    assert said in told[1]


def test_a_verifiers_machine_is_held_against_its_server(server: Server, tmp_path: Path) -> None:
    name, credential = add_verifier(server, "edge")
    file = tmp_path / "credential"

    def levels(url: str, text: str) -> dict[str, str]:
        secret = Secret(text)
        return {name: finding.level.value for name, finding in examine_upstream(Upstream(url, secret), secret)}

    assert levels(server.url, credential) == {"server": "ok", "credential": "ok", "clock": "ok"}
    assert levels("http://127.0.0.1:1", credential) == {"server": "wrong"}
    assert levels(server.url, "gpat_x") == {"credential": "wrong"}
    assert gatepass("verifiers", "remove", name, "--data", str(server.data)).returncode == 0
    assert levels(server.url, credential) == {"server": "ok", "credential": "wrong", "clock": "ok"}
    # And with a clock of its own, as a process.
    file.write_text(credential)
    clock = WallClock(tmp_path)
    for seconds, said in ((60, "s ahead of the server's"), (-60, "s behind the server's")):
        clock.shift(seconds)
        done = gatepass("doctor", "--upstream", server.url, "--credential-file", str(file), env=clock.env)
        assert done.returncode == 1, done.stderr
        assert said in done.stdout
        assert credential not in done.stdout
