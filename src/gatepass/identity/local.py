"""Local passwords: argon2id, 46 MiB, one pass (OWASP's list), about 50 ms each."""

import os
import threading
from collections.abc import Iterable
from importlib import resources

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from gatepass.errors import TooManyRequests
from gatepass.model.secret import generate_key

MEMORY_KIB = 46 * 1024
_PATIENCE_SECONDS = 10.0


class Argon2Hasher:
    """Hashes passwords, never more at once than there are cores."""

    def __init__(self, *, at_once: int | None = None) -> None:
        """Allow `at_once` hashes at the same time, by default one for each core."""
        self._argon2 = PasswordHasher(time_cost=1, memory_cost=MEMORY_KIB, parallelism=1, type=Type.ID)
        self._turns = threading.BoundedSemaphore(at_once or cores())
        self._dummy = self._argon2.hash(generate_key())

    def hash(self, password: bytes) -> str:
        """Return the hash with its salt and parameters, in the PHC string format."""
        with _Turn(self._turns):
            return self._argon2.hash(password)

    def verify(self, stored: str | None, password: bytes) -> bool:
        """Tell whether `password` is the one behind `stored`; without one, take as long and say no."""
        with _Turn(self._turns):
            try:
                self._argon2.verify(self._dummy if stored is None else stored, password)
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Tell whether `stored` was made with other parameters."""
        return self._argon2.check_needs_rehash(stored)


class _Turn:
    """Waits for one of the few turns."""

    def __init__(self, turns: threading.BoundedSemaphore) -> None:
        self._turns = turns

    def __enter__(self) -> None:
        if not self._turns.acquire(timeout=_PATIENCE_SECONDS):
            raise TooManyRequests("too many passwords are being checked")

    def __exit__(self, *_: object) -> None:
        self._turns.release()


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def common_passwords(site_words: Iterable[str] = ()) -> frozenset[str]:
    """Return what nobody may choose, case-folded: the commonest passwords and the site's words."""
    listed = (resources.files("gatepass.identity") / "common-passwords.txt").read_text("utf-8").splitlines()
    return frozenset(word.casefold() for word in (*listed, *site_words))
