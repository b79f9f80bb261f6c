"""How each part of an installation over PostgreSQL is broken, and mended."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest

from faults.history import OWN, send
from faults.parts import Token
from faults.parts_postgres import BESIDE, FIRST, LISTENER, SECOND, PostgresScene
from faults.test_outages import stranger
from support.postgres import USER, without_standby
from support.small_disk import fill
from support.waiting import poll

Fault = Callable[[PostgresScene], AbstractContextManager[None]]


@contextmanager
def stopped(scene: PostgresScene) -> Iterator[None]:
    scene.postgres.stop()
    yield
    scene.postgres.start()


@contextmanager
def frozen(scene: PostgresScene) -> Iterator[None]:
    scene.postgres.freeze()
    yield
    scene.postgres.freeze(thaw=True)


@contextmanager
def alone(scene: PostgresScene) -> Iterator[None]:
    with without_standby(scene.postgres):
        yield


@contextmanager
def read_only(scene: PostgresScene) -> Iterator[None]:
    for value in ("on", "off"):
        scene.postgres.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        scene.postgres.execute("SELECT pg_reload_conf()")
        poll(lambda value=value: scene.postgres.execute("SHOW default_transaction_read_only") == [(value,)])
        if value == "on":
            yield


@contextmanager
def standby(scene: PostgresScene) -> Iterator[None]:
    signal_file = scene.postgres.folder / "data" / "standby.signal"
    scene.postgres.stop()
    signal_file.touch()
    scene.postgres.start()
    yield
    scene.postgres.stop()
    signal_file.unlink()
    scene.postgres.start()


@contextmanager
def no_more_connections(scene: PostgresScene) -> Iterator[None]:
    """Let each server have some, as it has under load, and nobody get another one."""
    with ThreadPoolExecutor(24) as pool:
        for server in scene.servers.values():
            list(pool.map(lambda _, server=server: send(server, "GET", OWN, scene.master), range(24)))
            list(pool.map(lambda _, server=server: send(server, "GET", "/verify", stranger()[0]), range(24)))
    scene.postgres.execute(f"ALTER ROLE {USER} CONNECTION LIMIT 1")
    yield
    scene.postgres.execute(f"ALTER ROLE {USER} CONNECTION LIMIT -1")


@contextmanager
def deaf(scene: PostgresScene) -> Iterator[None]:
    listening = f"usename = '{USER}' AND query IN ('LISTEN gatepass', 'SELECT 1')"
    found = f"FROM pg_stat_activity WHERE {listening}"
    poll(lambda: scene.postgres.execute(f"SELECT count(*) {found}") == [(3,)])
    with no_more_connections(scene):
        scene.postgres.execute(f"SELECT pg_terminate_backend(pid, 5000) {found}")
        yield


@contextmanager
def full(scene: PostgresScene) -> Iterator[None]:
    if scene.disk is None:
        pytest.skip("mounting takes rights that this user does not have")
    spare = [scene.new_token() for _ in range(50)]
    filling = fill(scene.disk)
    use_up_the_last_pages(scene, spare)
    yield
    filling.unlink()


def use_up_the_last_pages(scene: PostgresScene, spare: list[Token]) -> None:
    """Each table goes on to the end of the page that it has."""
    refused = 0
    while refused < 25:  # what was refused leaves a little room
        made = scene.find_new_token(FIRST)
        token = made or spare.pop()
        is_deleted = scene.delete(FIRST, token).status == 204
        spare += [] if is_deleted else [token]
        refused = 0 if made or is_deleted else refused + 1
    scene.known = scene.token_ids()


def locked(statement: str) -> Fault:
    @contextmanager
    def fault(scene: PostgresScene) -> Iterator[None]:
        with psycopg.connect(scene.database) as other:
            other.execute(statement)
            yield

    return fault


@contextmanager
def killed(scene: PostgresScene) -> Iterator[None]:
    scene.servers[SECOND].kill()
    yield
    scene.servers[SECOND].start()


@contextmanager
def held(scene: PostgresScene) -> Iterator[None]:
    os.kill(scene.servers[SECOND].pid, signal.SIGSTOP)
    yield
    os.kill(scene.servers[SECOND].pid, signal.SIGCONT)


@contextmanager
def cut_off(scene: PostgresScene) -> Iterator[None]:
    scene.line.lose()
    yield
    scene.line.mend()


@contextmanager
def without_pooler(scene: PostgresScene) -> Iterator[None]:
    scene.bouncer.stop()
    yield
    scene.bouncer.start()


FAULTS: dict[str, tuple[Fault, tuple[str, ...]]] = {
    "the database is stopped": (stopped, BESIDE),
    "the database is frozen, and goes on": (frozen, BESIDE),
    "its synchronous standby is lost": (alone, BESIDE),
    "the database takes no writes": (read_only, BESIDE),
    "the database is a standby": (standby, BESIDE),
    "the database takes no more connections": (no_more_connections, BESIDE),
    "the connections that listen are lost": (deaf, BESIDE),
    "the disk of its tables is full": (full, BESIDE),
    "another program holds the lock of all writers": (locked("SELECT 1 FROM counters FOR UPDATE"), BESIDE),
    "another program locks the table of tokens": (locked("LOCK TABLE tokens"), BESIDE),
    "a server is killed": (killed, (SECOND,)),
    "a server is stopped, and goes on": (held, (SECOND,)),
    "the network between a server and the database": (cut_off, (SECOND,)),
    "the PgBouncer of a verifier is stopped": (without_pooler, (LISTENER,)),
}
"""How each is brought about, and who is concerned: what the row says is of them and of a verifier elsewhere."""
