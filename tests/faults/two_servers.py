"""Two servers over one PostgreSQL database, any of which may be killed at any moment, and what clients do there.

One round: clients work, somebody dies, everything is started again, and all that the clients were told is held
against what both servers say.
"""

import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from faults.history import Audit, History, send
from faults.host import PATHS, program
from faults.killer_postgres import POINTS
from faults.launch import NONE
from faults.mortal import MortalServer
from support.server import EMAIL, PASSWORD, Server, gatepass
from support.waiting import poll

BOUND = 5.0
"""`verifiers.boundSeconds`, unless it is set."""
READY_SECONDS = 5.0
"""Within so many seconds after everything was started again both servers have to be ready."""
OF_ONE = 20
"""For so many rounds the tokens are of one person, and read back after each of them."""
FIRST, SECOND, DATABASE = "first", "second", "database"
VICTIMS = {
    (FIRST,): 2,
    (SECOND,): 2,
    (FIRST, SECOND): 2,
    (DATABASE,): 3,
    (FIRST, DATABASE): 2,
    (SECOND, DATABASE): 2,
    (FIRST, SECOND, DATABASE): 2,
}
"""Who is killed in a round, and how often."""


@dataclass
class Figures:
    """What came about."""

    deaths: Counter[str] = field(default_factory=Counter)
    """Of whom, and at which named points."""
    ready: list[float] = field(default_factory=list)
    """Seconds from when everything was started until both servers were ready."""
    recovered: list[float] = field(default_factory=list)
    """The same from when everybody who died was dead: with their starts, one after the other."""
    rounds: list[float] = field(default_factory=list)
    """How many seconds each took."""

    def told(self, histories: Sequence[History]) -> str:
        """Return them for whoever reads the log."""
        deletions = Counter(token.deletion for history in histories for token in history.known)
        ready, recovered = sorted(self.ready), sorted(self.recovered)
        return (
            f"{len(self.rounds)} rounds in {sum(self.rounds):.0f} s; deaths {dict(sorted(self.deaths.items()))};"
            f" created {sum(len(each.known) for each in histories)},"
            f" not known {sum(each.unknown_creates for each in histories)}; deletions {dict(deletions)},"
            f" told late {sum(each.late for each in histories)};"
            f" ready after {ready[len(ready) // 2]:.2f} s (median), {ready[-1]:.2f} s (worst),"
            f" with all starts {recovered[len(recovered) // 2]:.2f} s (median), {recovered[-1]:.2f} s (worst)"
        )


class Site:
    """The database, the servers and those who use them."""

    def __init__(
        self, folder: Path, *, mutant: str = NONE, victims: Sequence[tuple[str, ...]] = tuple(VICTIMS)
    ) -> None:
        """Make an installation in an empty folder, and start everything."""
        self.figures = Figures()
        self.histories: list[History] = []
        self._masters: list[str] = []
        self._audit = Audit()
        self._victims = victims
        self._folder = folder
        self.postgres = MortalServer()
        database = ("--database", self.postgres.create_database())
        self.place = ("--data", str(folder / FIRST), *database)
        init = ("init", *self.place, "--email", EMAIL, "--password-file", "-", "--enable-tokens")
        done = gatepass(*init, stdin=PASSWORD)
        if done.returncode:
            raise RuntimeError(done.stderr)
        shutil.copytree(folder / FIRST, folder / SECOND)
        self.servers = {
            name: Server(folder / name, *database, env={**PATHS, "PYTHONFAULTHANDLER": "1"}) for name in (FIRST, SECOND)
        }
        for name, server in self.servers.items():
            server.program = program(mutant, f"signal:{self._orders(name)}")
            server.start()
            server.listen = f"127.0.0.1:{server.port}"

    def _orders(self, name: str) -> Path:
        return self._folder / f"{name}.orders"

    @property
    def findings(self) -> list[str]:
        return [finding for history in self.histories for finding in history.findings]

    def close(self) -> None:
        for server in self.servers.values():
            server.kill()
        self.postgres.close()

    def play(self, number: int, *, seed: int = 1) -> None:
        """Play one round."""
        began, chance = time.monotonic(), random.Random(f"{seed}.{number}")
        if number % OF_ONE == 0:
            self._meet_somebody(number)
        history, master = self.histories[-1], self._masters[-1]
        servers = list(self.servers.values())
        stop = threading.Event()
        threads = start_load(servers, master, history, stop, f"{seed}.{number}")
        try:
            (victims,) = chance.choices(self._victims, [VICTIMS[each] for each in self._victims])
            self._kill(victims, chance, chance.uniform(0.2, 1.5))
            time.sleep(chance.uniform(0, 0.3))  # whoever is left is asked meanwhile
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        history.findings += [
            f"{name} ended by itself" for name, server in self.servers.items() if server.is_dead and name not in victims
        ]
        self._start_again(history, victims)
        history.judge(servers[number % 2], master, others=[servers[1 - number % 2]])
        self.figures.rounds.append(time.monotonic() - began)

    def judge_all(self) -> None:
        """Read back everything that ever was, the audit log from its beginning."""
        first, second = self.servers.values()
        audit = Audit()
        for history, master in zip(self.histories, self._masters, strict=True):
            history.audit = audit
            history.judge(first, master, others=[second])

    def _meet_somebody(self, number: int) -> None:
        email, server = f"somebody-{number}@example.com", self.servers[FIRST]
        server.create_person(email, isAdmin=True)  # who reads the audit log too
        self._masters.append(server.create_token(basic=(email, PASSWORD), lifetimeSeconds=-1)[0])
        self.histories.append(History(bound=BOUND, audit=self._audit))

    def _kill(self, victims: tuple[str, ...], chance: random.Random, seconds: float) -> None:
        """Let the clients work for so many seconds, or until a victim has died at a named point; then kill them all."""
        deadline = time.monotonic() + seconds
        named = {name: chance.choice(POINTS) for name in victims if name != DATABASE and chance.random() < 0.5}
        time.sleep(seconds * chance.random() / 2)
        for name, point in named.items():
            self._orders(name).write_text(f"{point} {chance.randint(1, 6)}")
            os.kill(self.servers[name].pid, signal.SIGUSR1)
        while time.monotonic() < deadline and not any(self.servers[name].is_dead for name in named):
            time.sleep(0.005)
        for name in chance.sample(victims, len(victims)):
            self._kill_one(name, named.get(name, ""), leader_only=chance.random() < 0.3)
            time.sleep(chance.choice((0, 0, chance.uniform(0, 0.1))))

    def _kill_one(self, name: str, point: str, *, leader_only: bool) -> None:
        if name == DATABASE:
            self.postgres.kill(children=not leader_only)
            name += ", its leader alone" * leader_only
        elif not self.servers[name].is_dead:
            os.kill(self.servers[name].pid, signal.SIGKILL)
        else:
            name += f" at {point}"
        self.figures.deaths[name] += 1

    def _start_again(self, history: History, victims: tuple[str, ...]) -> None:
        began = time.monotonic()
        if DATABASE in victims:
            self.postgres.start()
        for name, server in self.servers.items():
            if name in victims or server.is_dead:  # who was killed a moment ago may still be there
                self._start(server)
        started = time.monotonic()

        def is_ready(server: Server) -> bool:
            reply = send(server, "GET", "/readyz", "")
            return reply is not None and reply.status == 200

        for name, server in self.servers.items():
            try:
                poll(lambda server=server: is_ready(server), seconds=60)
            except AssertionError:
                os.kill(server.pid, signal.SIGABRT)  # it tells in its log what it was doing
                pytest.fail(f"{name} was not ready within a minute")
        took = time.monotonic() - started
        self.figures.ready.append(took)
        self.figures.recovered.append(time.monotonic() - began)
        if took > READY_SECONDS:
            history.findings.append(f"ready only after {took:.1f} s")

    def _start(self, server: Server) -> None:
        """Start a server. A machine that has other things to do may take too long for it, some times."""
        for _ in range(4):
            server.kill()
            try:
                server.start()
            except RuntimeError:
                self.figures.deaths["too slow to start"] += 1
            else:
                return
        pytest.fail("a server does not start")


def start_load(
    servers: Sequence[Server], master: str, history: History, stop: threading.Event, seed: str
) -> list[threading.Thread]:
    """Start four creators, two deleters and four verifiers, half of them at each server; they end when told to."""

    def create(server: Server, chance: random.Random, _: int) -> None:
        history.create(server, master)

    def delete(server: Server, chance: random.Random, number: int) -> None:
        """Delete one of every other token: each is deleted by one client only."""
        ours = [token for token in history.known[-100:] if int(token.id[-1], 16) % 2 == number]
        alive = [token for token in ours if token.deletion == "none"]
        if len(alive) > 2:
            history.delete(server, master, chance.choice(alive))

    def verify(server: Server, chance: random.Random, _: int) -> None:
        if history.known:
            history.verify(server, chance.choice(history.known[-50:]))

    def repeat(work: Callable[[Server, random.Random, int], None], number: int) -> threading.Thread:
        chance = random.Random(f"{seed}.{work.__name__}.{number}")

        def run() -> None:
            while not stop.wait(chance.uniform(0.02, 0.2)):
                work(servers[number % 2], chance, number)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    clients = {create: 4, delete: 2, verify: 4}
    return [repeat(work, number) for work, count in clients.items() for number in range(count)]
