"""The revocation journal where processes die, write at once, and run out of room."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gatepass.connect import open_verifier
from gatepass.errors import Unavailable
from support.listener import Listener
from support.server import EMAIL, PASSWORD, Server, gatepass, make_installation
from support.small_disk import fill, small_disk
from support.waiting import poll

SOAK = bool(os.environ.get("GATEPASS_SOAK"))
KILLER = Path(__file__).with_name("killer.py")
OWN = "/v4/apiAccessTokens"


def status(server: Server, value: str) -> int:
    return server.request("GET", "/verify", bearer=value).status


def test_the_journal_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o700)
    journal, data = tmp_path / "disk" / "revoked", tmp_path / "data"
    env = {"GATEPASS_STORE__JOURNAL": str(journal)}
    init = ("init", "--data", str(data), "--email", EMAIL, "--password-file", "-", "--enable-tokens")
    assert gatepass(*init, stdin=PASSWORD, env=env).returncode == 0
    assert not (data / "gatepass.journal").exists()
    with Server(data, env=env) as server, Listener(data, env=env) as listener:
        value, info = server.create_token()
        assert (status(server, value), listener.status(bearer=value)) == (200, 200)
        with open_verifier(data, journal=journal) as embedded:
            assert embedded.require(value)
        lost = open_verifier(data)
        with pytest.raises(Unavailable, match="is missing"):
            lost.require(value)
        with pytest.raises(Unavailable, match="is missing"):
            lost.close()
        assert server.admin("DELETE", f"{OWN}/{info['tokenId']}").status == 204
        assert info["tokenId"] in journal.read_text()


POINTS = ["statement", "journal", "torn", "journalled", "raise", "commit", "committed", "raised"]
OFTEN = ["journal", "journalled"]


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("point", POINTS if SOAK else OFTEN)
@pytest.mark.parametrize("count", range(1, 14) if SOAK else [2])
def test_whoever_dies_around_journal_and_commit_what_was_acknowledged_survives_a_restore(
    tmp_path: Path, point: str, count: int
) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup.db"
    make_installation(data)
    with Server(data) as server:
        tokens = [server.create_token() for _ in range(count + 3)]
    assert gatepass("db", "backup", str(backup), "--data", str(data)).returncode == 0
    server = Server(data)
    server.program = [sys.executable, str(KILLER), point, str(count)]
    server.start()
    acknowledged, asked = set(), set()
    for value, info in tokens[:-1]:
        asked.add(value)
        with suppress(OSError):
            if server.admin("DELETE", f"{OWN}/{info['tokenId']}").status == 204:
                acknowledged.add(value)
        if server.is_dead:
            break
    poll(lambda: server.is_dead)  # it closes its connections before it is gone
    server.kill()
    assert gatepass("db", "check", "--data", str(data)).stdout == "ok\n"
    for put_back in (False, True):
        if put_back:
            assert gatepass("db", "restore", str(backup), "--data", str(data)).returncode == 0
        with Server(data) as after:
            refused = {value for value, _ in tokens if status(after, value) == 401}
        assert acknowledged <= refused <= asked, (point, count, put_back)


CHANGING = """
import sys
from gatepass.model.actor import CONSOLE
from gatepass.server.installation import opened
from gatepass.server.settings import load_config
from gatepass.services.change_settings import change_settings
with opened(load_config({"store.data": sys.argv[1]})) as deps:
    for days in range(1, 60):
        change_settings(deps, CONSOLE, {"tokens.retentionDays": days})
"""


def test_processes_that_end_things_at_once_leave_one_whole_journal(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup.db"
    make_installation(data)
    with Server(data) as server:
        tokens = [server.create_token() for _ in range(24)]
        assert gatepass("db", "backup", str(backup), "--data", str(data)).returncode == 0
        codes: list[int] = []

        def delete(part: list) -> None:
            codes.extend(server.admin("DELETE", f"{OWN}/{info['tokenId']}").status for _, info in part)

        beside = [subprocess.Popen([sys.executable, "-c", CHANGING, str(data)]) for _ in range(2)]
        threads = [threading.Thread(target=delete, args=(tokens[number::3],)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [each.wait() for each in beside] == [0, 0]
        assert codes == [204] * len(tokens)
    assert gatepass("db", "check", "--data", str(data)).stdout == "ok\n"
    restored = gatepass("db", "restore", str(backup), "--data", str(data))
    assert f"replayed: {len(tokens)} tokens deleted\n" in restored.stdout
    with Server(data) as server:
        assert {server.request("GET", "/verify", bearer=value).status for value, _ in tokens} == {401}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own for the journal, that can be filled."""
    with small_disk(tmp_path / "disk") as place:
        yield place


def test_a_full_disk_under_the_journal_refuses_deletions_and_nothing_else(tmp_path: Path, disk: Path) -> None:
    data, env = tmp_path / "data", {"GATEPASS_STORE__JOURNAL": str(disk / "journal")}
    init = ("init", "--data", str(data), "--email", EMAIL, "--password-file", "-", "--enable-tokens")
    assert gatepass(*init, stdin=PASSWORD, env=env).returncode == 0
    with Server(data, env=env) as server:
        tokens = [server.create_token() for _ in range(40)]
        filling = fill(disk)
        codes = {}
        for value, info in tokens:
            codes[value] = server.admin("DELETE", f"{OWN}/{info['tokenId']}").status
        assert set(codes.values()) == {204, 503}, "what room was left in the last page is used up, and then it is full"
        assert {value: status(server, value) for value in codes} == {
            value: 401 if code == 204 else 200 for value, code in codes.items()
        }
        assert server.request("GET", "/readyz").status == 200
        assert server.create_token()
        filling.unlink()
        for value, info in tokens:
            if codes[value] == 503:
                assert server.admin("DELETE", f"{OWN}/{info['tokenId']}").status == 204
    done = gatepass("db", "check", "--data", str(data), env=env)
    assert done.stdout == "ok\n", done.stdout
