"""kill -9 at any moment: nothing that was acknowledged is lost, nothing deleted comes back."""

import os
import random
import sys
import threading
import time
from pathlib import Path

import pytest

from faults.history import History, send
from support.server import Server, gatepass, make_installation

SOAK = bool(os.environ.get("GATEPASS_SOAK"))
ROUNDS = 200 if SOAK else 6
KILLER = Path(__file__).with_name("killer.py")


@pytest.fixture
def server(tmp_path: Path) -> Server:
    make_installation(tmp_path / "data")
    made = Server(tmp_path / "data").start()
    made.listen = f"127.0.0.1:{made.port}"
    return made


def load(server: Server, master: str, history: History, stop: threading.Event, seed: int) -> list[threading.Thread]:
    """Start creators, deleters and verifiers; they end when told to."""
    chance = random.Random(seed)

    def repeat(work) -> threading.Thread:
        def run() -> None:
            while not stop.is_set():
                work()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def delete_one() -> None:
        alive = [token for token in history.known[-200:] if token.deletion == "none"]
        if len(alive) > 5:
            history.delete(server, master, chance.choice(alive[:-3]))
        else:
            time.sleep(0.002)

    def verify_one() -> None:
        if history.known:
            history.verify(server, chance.choice(history.known[-100:]))
        else:
            time.sleep(0.002)

    creators = [repeat(lambda: history.create(server, master)) for _ in range(3)]
    # One deleter: a token is then deleted by one client only.
    return [*creators, repeat(delete_one), repeat(verify_one), repeat(verify_one)]


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killing_the_server_loses_and_revives_nothing(server: Server) -> None:
    master, _ = server.create_token(lifetimeSeconds=-1)
    chance, history = random.Random(20261124), History()
    for number in range(ROUNDS):
        stop = threading.Event()
        threads = load(server, master, history, stop, number)
        time.sleep(chance.uniform(0.1, 0.8))
        os.kill(server.pid, 9)
        stop.set()
        for thread in threads:
            thread.join()
        server.kill()
        server.start()
        if number % 20 == ROUNDS % 20 - 1 or number == ROUNDS - 1:
            history.judge(server, master)
        assert history.findings == []
    assert len(history.known) > 5 * ROUNDS, "the load was too small to prove anything"
    assert any(token.deletion == "ok" for token in history.known)
    server.stop()
    checked = gatepass("db", "check", "--data", str(server.data))
    assert (checked.returncode, checked.stdout) == (0, "ok\n")


@pytest.mark.parametrize("point", ["begin", "statement", "commit", "committed"])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8] if SOAK else [3])
@pytest.mark.parametrize("doing", ["create", "delete"])
def test_dying_at_a_named_point_leaves_all_or_nothing(server: Server, point: str, count: int, doing: str) -> None:
    master, _ = server.create_token(lifetimeSeconds=-1)
    history = History()
    for _ in range(4):
        history.create(server, master)
    server.stop()
    server.program = [sys.executable, str(KILLER), point, str(count)]
    server.start()
    # Every request may be the last one; the reply that is missing is an unknown outcome.
    for token in list(history.known):
        if doing == "create":
            history.create(server, master)
        else:
            history.delete(server, master, token)
        if send(server, "GET", "/livez", master) is None:
            break
    server.kill()
    server.program = None
    server.start()
    history.judge(server, master)
    server.stop()
    assert history.findings == []
