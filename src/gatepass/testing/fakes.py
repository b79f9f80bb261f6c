"""Stand-ins for the outside world that keep its contracts: a clock, a keyring, a hasher."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from gatepass.errors import Unavailable
from gatepass.interfaces import Store
from gatepass.model.actor import CONSOLE, Actor, Credential
from gatepass.model.secret import Secret
from gatepass.model.user import User
from gatepass.policies import POLICIES
from gatepass.services.create_user import create_user
from gatepass.services.deps import Deps
from gatepass.services.throttle import Throttle

START = datetime(2026, 1, 1, tzinfo=UTC)
PASSWORD = "orchard lantern seventeen"  # noqa: S105  a password of nobody


class FakeClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime = START) -> None:
        """Begin at `now`."""
        self._now = now

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self._now

    def advance(self, by: timedelta = timedelta(), **parts: float) -> None:
        """Move forward, or back: `advance(minutes=5)`."""
        self._now += by + timedelta(**parts)


class MemoryKeyring:
    """Numbered peppers in memory."""

    def __init__(self) -> None:
        """Begin with pepper 1."""
        self.peppers = {1: b"\x01" * 32}
        self.current = 1

    def current_pepper(self) -> tuple[int, bytes]:
        """Return the current pepper."""
        return self.current, self.peppers[self.current]

    def pepper(self, number: int) -> bytes:
        """Return a pepper, or raise Unavailable."""
        if number not in self.peppers:
            raise Unavailable(f"pepper {number} is missing")
        return self.peppers[number]

    def server_key(self) -> bytes:
        """Return the server key."""
        return b"\x07" * 32

    def rotate(self) -> int:
        """Make another pepper the current one."""
        self.current = max(self.peppers) + 1
        self.peppers[self.current] = bytes([self.current % 256]) * 32
        return self.current


class QuickHasher:
    """Hashes nothing, keeps the contract, and counts."""

    def __init__(self) -> None:
        """Begin at zero; `generation` makes older hashes outdated when raised."""
        self.generation = 1
        self.verified = 0

    def hash(self, password: bytes) -> str:
        """Return something that only `verify` understands."""
        return f"quick${self.generation}${password.hex()}"

    def verify(self, stored: str | None, password: bytes) -> bool:
        """Tell whether the password is the one behind `stored`."""
        self.verified += 1
        return stored is not None and stored.rpartition("$")[2] == password.hex()

    def is_outdated(self, stored: str) -> bool:
        """Tell whether `stored` is of an earlier generation."""
        return not stored.startswith(f"quick${self.generation}$")


def make_deps(
    store: Store,
    *,
    clock: FakeClock | None = None,
    keyring: MemoryKeyring | None = None,
    hasher: QuickHasher | None = None,
    common_passwords: Iterable[str] = (),
) -> Deps:
    """Put an installation together over `store`, with tokens switched on."""
    clock, keyring = clock or FakeClock(), keyring or MemoryKeyring()
    with store.write() as tx:
        tx.settings.save(tx.settings.load().changed({"apiAccessTokens.enabled": True}))
    return Deps(
        store=store,
        clock=clock,
        keyring=keyring,
        hasher=hasher or QuickHasher(),
        throttle=Throttle(store, clock, keyring, per_account=5, per_address=5),
        policies=POLICIES,
        common_passwords=frozenset(common_passwords),
    )


def add_person(deps: Deps, email: str, *, is_admin: bool = False, password: str = PASSWORD) -> User:
    """Add somebody with a password, from the console."""
    return create_user(deps, CONSOLE, email=email, password=Secret(password), is_admin=is_admin).user


def acting(user: User, *, address: str | None = "192.0.2.1") -> Actor:
    """Return the actor that `user` is when coming with their password."""
    return Actor(Credential.PASSWORD, user.id, password_at=user.created_at, address=address, request_id="request-1")


def knowing_password(deps: Deps, user_id: UUID) -> Actor:
    """Return an actor who has just shown the password that this user has now."""
    with deps.store.read() as tx:
        stored = tx.users.find_password(user_id)
    return Actor(Credential.PASSWORD, user_id, password_at=stored.changed_at if stored else None)
