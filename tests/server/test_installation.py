"""`gatepass init`: all of an installation or nothing, and never anything that somebody else made."""

import os
from pathlib import Path

import pytest

from support.server import EMAIL, PASSWORD, gatepass


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir(mode=0o700)
    return tmp_path / "data"


def init(data: Path, password: str = PASSWORD):
    return gatepass("init", "--data", str(data), "--email", EMAIL, "--password-file", "-", stdin=password)


def names(data: Path) -> set[str]:
    return {path.name for path in data.iterdir()}


def test_a_failed_init_leaves_no_trace(data: Path) -> None:
    assert init(data, "too short").returncode == 2
    assert names(data) == set()


def test_init_leaves_the_files_of_others_alone(data: Path) -> None:
    foreign = data / "gatepass.db.2026-01-01.bak"
    foreign.write_text("a backup")
    assert init(data, "too short").returncode == 2
    assert foreign.read_text() == "a backup"
    assert init(data).returncode == 0
    assert foreign.read_text() == "a backup"


@pytest.mark.parametrize("name", ["gatepass.db", "gatepass.keys"])
def test_a_link_that_leads_nowhere_is_a_part_of_an_installation(data: Path, name: str) -> None:
    (data / name).symlink_to(data.parent / "elsewhere" / name)
    done = init(data)
    assert (done.returncode, "holds an installation already" in done.stderr) == (1, True)
    assert names(data) == {name}
    assert (data / name).is_symlink()


def test_a_directory_that_others_can_write_gets_no_keys_and_works_once_it_is_private(data: Path) -> None:
    data.chmod(0o770)
    done = init(data)
    assert (done.returncode, "can be written by others" in done.stderr) == (1, True)
    assert names(data) == set()
    data.chmod(0o700)
    assert init(data).returncode == 0
    assert names(data) == {"gatepass.db", "gatepass.journal", "gatepass.keys"}


def test_files_are_private_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert init(tmp_path / "data").returncode == 0
        assert gatepass("key", "rotate", "--data", str(tmp_path / "data")).returncode == 0
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    files = ("gatepass.db", "gatepass.db-words", "gatepass.journal", "gatepass.keys", "gatepass.keys.lock")
    assert modes == dict.fromkeys(files, 0o600)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
