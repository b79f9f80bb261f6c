"""Local passwords: the hash itself, its bounds, and the list of common ones."""

import threading
import time

import pytest

from gatepass.errors import TooManyRequests
from gatepass.identity import local
from gatepass.identity.local import Argon2Hasher, common_passwords


@pytest.fixture(scope="module")
def hasher() -> Argon2Hasher:
    return Argon2Hasher()


def test_a_hash_knows_its_password_and_no_other(hasher: Argon2Hasher) -> None:
    stored = hasher.hash(b"orchard lantern seventeen")
    assert hasher.verify(stored, b"orchard lantern seventeen")
    assert not hasher.verify(stored, b"orchard lantern seventeen ")
    assert not hasher.verify(stored, b"")


def test_the_parameters_are_the_documented_ones(hasher: Argon2Hasher) -> None:
    assert hasher.hash(b"x").startswith("$argon2id$v=19$m=47104,t=1,p=1$")


def test_two_hashes_of_one_password_differ(hasher: Argon2Hasher) -> None:
    assert hasher.hash(b"x") != hasher.hash(b"x")


def test_nobody_and_damage_are_no_password(hasher: Argon2Hasher) -> None:
    assert not hasher.verify(None, b"nobody has this password")
    assert not hasher.verify("garbage", b"x")
    assert not hasher.verify("", b"nobody has this password")


def test_a_hash_of_other_parameters_is_outdated(hasher: Argon2Hasher) -> None:
    from argon2 import PasswordHasher

    assert hasher.is_outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))
    assert not hasher.is_outdated(hasher.hash(b"x"))


def test_never_more_hashes_at_once_than_allowed() -> None:
    hasher = Argon2Hasher(at_once=2)
    running, most, lock = 0, 0, threading.Lock()

    class Counting:
        def hash(self, _: bytes) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return "hashed"

    hasher._argon2 = Counting()
    threads = [threading.Thread(target=hasher.hash, args=(b"x",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_whoever_waits_too_long_for_a_hash_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_PATIENCE_SECONDS", 0.05)
    hasher = Argon2Hasher(at_once=1)
    with local._Turn(hasher._turns), pytest.raises(TooManyRequests):
        hasher.hash(b"x")
    assert hasher.hash(b"x")


def test_ten_thousand_common_passwords_are_listed_none_too_short_to_matter() -> None:
    listed = common_passwords()
    assert len(listed) == 10_000
    assert all(len(word.encode()) >= 15 and word == word.casefold() for word in listed)
    assert "1q2w3e4r5t6y7u8i" in listed
    assert "correct horse battery staple" not in listed


def test_words_of_the_site_are_added() -> None:
    assert "ExampleCorpPortal".casefold() in common_passwords(["ExampleCorpPortal"])
