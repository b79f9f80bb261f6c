"""A fault at every call: the k-th use of database, keys or hasher fails, for every k and kind of error.

Never is a token accepted that should not be, never is a live one called dead, and a change that
failed left nothing behind.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from faults.test_power_cut import describe
from gatepass.connect import verifier_over
from gatepass.errors import GatepassError, Unavailable
from gatepass.interfaces import Page
from gatepass.model.actor import Actor, Credential
from gatepass.model.secret import Secret
from gatepass.model.verdict import Accepted, Rejected, Verdict
from gatepass.services.change_password import change_password
from gatepass.services.change_settings import change_settings
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_token import create_token
from gatepass.services.create_user import create_user
from gatepass.services.delete_user import delete_user
from gatepass.services.list_tokens import list_tokens
from gatepass.services.retry import Retry
from gatepass.services.revoke_token import revoke_token
from gatepass.services.sign_in import sign_in
from gatepass.stores.sql.sqlite import SqliteConnection, SqliteStore
from gatepass.testing.fakes import PASSWORD, MemoryKeyring, QuickHasher, acting, add_person, make_deps

ERRORS = [Unavailable, RuntimeError, MemoryError, KeyboardInterrupt, asyncio.CancelledError]


class Faults:
    """Counts calls; the one with number `at` raises instead of doing anything."""

    def __init__(self) -> None:
        self.count = 0
        self.at: int | None = None
        self.error: type[BaseException] = RuntimeError

    def wrap(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                raise self.error("injected")
            return plain(*args, **kwargs)

        return called


class Scene:
    """An installation over SQLite in which every call can fail, and what is to be done in it."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        self.faults = faults
        self.store = SqliteStore.create(folder / "gatepass.db")
        keyring, hasher = MemoryKeyring(), QuickHasher()
        self.deps = make_deps(self.store, keyring=keyring, hasher=hasher)
        self.admin = add_person(self.deps, "admin@example.com", is_admin=True)
        self.maria = add_person(self.deps, "maria@example.com", is_admin=True)
        me = acting(self.admin)
        self.live = create_token(self.deps, me, lifetime_seconds=60)
        self.dead = create_token(self.deps, me, lifetime_seconds=60)
        revoke_token(self.deps, me, self.dead.token.id)
        self.of_disabled = create_token(self.deps, acting(self.maria), lifetime_seconds=60)
        change_user(self.deps, me, self.maria.id, UserChanges(is_disabled=True))
        for thing, names in (
            (keyring, ("current_pepper", "pepper", "server_key")),
            (hasher, ("hash", "verify", "is_outdated")),
        ):
            for name in names:
                setattr(thing, name, faults.wrap(getattr(thing, name)))

    def changes(self) -> dict[str, Callable[[], object]]:
        deps, me = self.deps, acting(self.admin)
        token = Actor(Credential.TOKEN, self.admin.id, self.live.token.id)
        return {
            "create by password": lambda: create_token(deps, me, lifetime_seconds=60),
            "create by token": lambda: create_token(deps, token, lifetime_seconds=60),
            "create with a key": lambda: create_token(deps, me, lifetime_seconds=60, retry=Retry("k", b"")),
            "delete": lambda: revoke_token(deps, me, self.live.token.id),
            "add": lambda: create_user(deps, me, email="new@example.com", password=Secret(PASSWORD)),
            "enable": lambda: change_user(deps, me, self.maria.id, UserChanges(is_disabled=False)),
            "delete somebody": lambda: delete_user(deps, me, self.maria.id),
            "switch off": lambda: change_settings(deps, me, {"apiAccessTokens.enabled": False}),
        }


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    made = Faults()
    for name in ("one", "all", "run"):
        monkeypatch.setattr(SqliteConnection, name, made.wrap(getattr(SqliteConnection, name)))
    yield made
    made.at = None


def calls_of(faults: Faults, work: Callable[[], object]) -> int:
    """Count the calls that `work` makes when nothing fails."""
    faults.at, faults.count = None, 0
    work()
    return faults.count


def failing(faults: Faults, at: int, error: type[BaseException], work: Callable[[], Any]) -> Any:
    """Do `work` with a fault; return what it returned, or what it raised."""
    faults.at, faults.error, faults.count = at, error, 0
    try:
        return work()
    except BaseException as raised:  # noqa: BLE001  that is what is looked at
        return raised
    finally:
        faults.at = None


NAMES = [
    "create by password",
    "create by token",
    "create with a key",
    "delete",
    "add",
    "enable",
    "delete somebody",
    "switch off",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_change_that_fails_anywhere_leaves_nothing_behind(faults: Faults, tmp_path: Path, name: str) -> None:
    counting = tmp_path / "counting"
    counting.mkdir(mode=0o700)
    scene = Scene(counting, faults)
    count = calls_of(faults, scene.changes()[name])
    scene.store.close()
    assert count >= 4

    scene = Scene(tmp_path, faults)
    with closing(scene.store):
        before = describe(scene.store)
        for at in range(1, count + 1):
            for error in ERRORS:
                result = failing(faults, at, error, scene.changes()[name])
                assert isinstance(result, BaseException), (at, result)
                assert describe(scene.store) == before, (at, error)
                dead_stays_dead(scene)
        scene.changes()[name]()
        assert describe(scene.store) != before


@pytest.mark.parametrize("error", ERRORS)
def test_verification_that_fails_anywhere_is_an_error_and_never_a_verdict(
    faults: Faults, tmp_path: Path, error: type[BaseException]
) -> None:
    scene = Scene(tmp_path, faults)
    unknown = scene.live.value.reveal()
    texts = {"live": unknown, "dead": scene.dead.value.reveal(), "disabled": scene.of_disabled.value.reveal()}
    with closing(scene.store):
        for name, text in texts.items():
            count = calls_of(faults, lambda text=text: verify(scene, text))
            for at in range(1, count + 1):
                result = failing(faults, at, error, lambda text=text: verify(scene, text))
                assert isinstance(result, BaseException), (name, at, result)
            assert isinstance(verify(scene, text), Accepted if name == "live" else Rejected)


@pytest.mark.parametrize("error", ERRORS)
def test_signing_in_that_fails_anywhere_starts_no_session(
    faults: Faults, tmp_path: Path, error: type[BaseException]
) -> None:
    scene = Scene(tmp_path, faults)

    def attempt(password: str) -> object:
        return sign_in(scene.deps, email="admin@example.com", password=Secret(password))

    def sessions() -> int:
        with scene.store.read() as tx:
            return len(tx.sessions.list(scene.admin.id))

    with closing(scene.store):
        count = calls_of(faults, lambda: attempt(PASSWORD))
        before = sessions()
        for at in range(1, count + 1):
            result = failing(faults, at, error, lambda: attempt(PASSWORD))
            if isinstance(result, BaseException):
                assert sessions() == before, at
            before = sessions()
        for at in range(1, count + 1):
            assert isinstance(failing(faults, at, error, lambda: attempt("wrong")), BaseException)
        assert sessions() == before


@pytest.mark.parametrize("error", [Unavailable, MemoryError])
def test_changing_a_password_that_fails_anywhere_leaves_one_password(
    faults: Faults, tmp_path: Path, error: type[BaseException]
) -> None:
    scene = Scene(tmp_path, faults)
    new = "another good sentence"

    def works(password: str) -> bool:
        with suppress(GatepassError):
            sign_in(scene.deps, email="admin@example.com", password=Secret(password))
            return True
        return False

    with closing(scene.store):
        at, done = 0, False
        while not done:
            at += 1
            scene.deps.clock.advance(hours=2)
            result = failing(
                faults, at, error,
                lambda: change_password(scene.deps, acting(scene.admin), current=Secret(PASSWORD), new=Secret(new)),
            )  # fmt: skip
            done = result is None
            assert (works(PASSWORD), works(new)) == ((False, True) if done else (True, False)), at
        assert at > 10


@pytest.mark.parametrize("error", ERRORS)
def test_reading_that_fails_anywhere_is_an_error_and_no_short_list(
    faults: Faults, tmp_path: Path, error: type[BaseException]
) -> None:
    scene = Scene(tmp_path, faults)

    def look() -> list[object]:
        return list(
            list_tokens(scene.deps, acting(scene.admin), owner_id=scene.admin.id, page=Page(limit=9), prefix="x")
        )

    with closing(scene.store):
        whole = look()
        for at in range(1, calls_of(faults, look) + 1):
            assert isinstance(failing(faults, at, error, look), BaseException)
        assert look() == whole


def verify(scene: Scene, text: str) -> Verdict:
    """Judge with an empty memory, so that every call of the look-up is made."""
    return verifier_over(scene.store, scene.deps.keyring, scene.deps.clock).verify(text)


def dead_stays_dead(scene: Scene) -> None:
    for made in (scene.dead, scene.of_disabled):
        assert not isinstance(verify(scene, made.value.reveal()), Accepted)
