"""The key file: private, whole, followed while it changes, and never guessed at."""

import json
import threading
from pathlib import Path

import pytest

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.stores.keyfile import KeyFile


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile.create(tmp_path / "gatepass.keys")


def test_a_new_key_file_has_one_pepper_and_is_private(keys: KeyFile) -> None:
    number, pepper = keys.current_pepper()
    assert (number, len(pepper), len(keys.server_key())) == (1, 32, 32)
    assert keys.path.stat().st_mode & 0o777 == 0o600


def test_a_key_file_is_never_made_over_another(keys: KeyFile) -> None:
    with pytest.raises(FileExistsError):
        KeyFile.create(keys.path)


def test_a_rotation_keeps_the_old_peppers(keys: KeyFile) -> None:
    old, server_key = keys.pepper(1), keys.server_key()
    assert keys.rotate() == 2
    assert keys.current_pepper()[0] == 2
    assert keys.pepper(1) == old
    assert keys.pepper(2) != old
    assert keys.server_key() == server_key
    assert keys.numbers() == [1, 2]


def test_a_rotation_elsewhere_is_followed(keys: KeyFile) -> None:
    other = KeyFile(keys.path)
    other.rotate()
    assert keys.current_pepper() == other.current_pepper()
    other.rotate()
    assert keys.pepper(3) == other.pepper(3)


def test_rotations_at_once_lose_no_pepper(keys: KeyFile) -> None:
    rings = [KeyFile(keys.path) for _ in range(8)]
    threads = [threading.Thread(target=ring.rotate) for ring in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(keys.numbers()) == list(range(1, 10))


def test_an_unknown_pepper_is_unavailable(keys: KeyFile) -> None:
    with pytest.raises(Unavailable):
        keys.pepper(7)


def test_a_key_file_that_vanished_is_unavailable_for_what_is_not_known(keys: KeyFile) -> None:
    known = keys.pepper(1)
    keys.path.unlink()
    assert keys.pepper(1) == known
    for look in (keys.current_pepper, lambda: keys.pepper(2)):
        with pytest.raises(Unavailable):
            look()


def test_a_missing_key_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="does not exist"):
        KeyFile(tmp_path / "gatepass.keys")


def test_a_key_file_that_others_can_read_is_refused(keys: KeyFile) -> None:
    keys.path.chmod(0o644)
    with pytest.raises(BadConfiguration, match="others can reach it"):
        KeyFile(keys.path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"current": 2, "peppers": {"1": "AAAA"}, "serverKey": "AAAA"}',
        b'{"current": 1, "peppers": [], "serverKey": ""}',
    ],
)
def test_a_damaged_key_file_is_said_and_never_half_used(keys: KeyFile, content: bytes) -> None:
    keys.path.write_bytes(content)
    with pytest.raises(BadConfiguration, match="is damaged"):
        KeyFile(keys.path)
    with pytest.raises(Unavailable):
        keys.current_pepper()


def test_a_current_pepper_that_is_not_there_is_damage(keys: KeyFile) -> None:
    content = json.loads(keys.path.read_bytes())
    content["current"] = 5
    keys.path.write_text(json.dumps(content))
    with pytest.raises(BadConfiguration, match="is damaged"):
        KeyFile(keys.path)


def test_keys_are_not_shown_by_accident(keys: KeyFile) -> None:
    assert "AAAA" not in repr(keys._keys)
    assert repr(keys._keys) == "Keys(current=1, peppers=[1])"
