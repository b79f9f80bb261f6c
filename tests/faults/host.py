"""The processes of one host: servers over HTTP, embedded verifiers, commands; and how they die.

The only place that starts and kills. Everything is started through `launch.py`.
"""

import functools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from faults.asker import FORGETFUL
from faults.launch import NONE
from support.server import Server, environment, gatepass, make_installation
from support.waiting import poll

TESTS = Path(__file__).parents[1]
PATHS = {"PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])}
HTTP_DOORS = {"serve": (), "verifier": ("--workers", "2")}
"""Commands that answer /verify, with their flags. One that this version does not have is left out, and reported."""
DEATH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Told:
    """A token, as the askers need to know it."""

    id: str
    value: str


@functools.cache
def has_command(name: str) -> bool:
    """Tell whether the command line knows a command."""
    return gatepass(name, "--help").returncode == 0


def program(mutant: str, fault: str = NONE) -> list[str]:
    """Return how a process is started."""
    return [sys.executable, "-m", "faults.launch", mutant, fault]


def kill_process(number: int) -> None:
    """Kill a process that may be dead."""
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


class HttpDoor:
    """A command that serves /verify, dies now and then, and comes back at the same address."""

    def __init__(
        self,
        data: Path,
        command: str,
        *flags: str,
        mutant: str,
        label: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Call it `label`, or as its command. Without flags it has those of HTTP_DOORS."""
        self.command, self.mutant, self.label = command, mutant, label or command
        self.server = Server(data, *(flags or HTTP_DOORS[command]), env={**PATHS, **(env or {})})
        self.server.command = command
        self.server.log = data.parent / f"{self.label}.log"
        self.life = 0
        self.deaths = 0

    @property
    def name(self) -> str:
        return f"{self.label}.{self.life}"

    def start(self, fault: str = NONE) -> None:
        """Start it; one whose death comes before it is ready is started again without."""
        for each in (fault, NONE):
            self.server.program = program(self.mutant, each)
            self.life += 1
            try:
                self.server.start()
            except RuntimeError:
                self.kill()
                self.deaths += 1
                if each == NONE:
                    raise
                continue
            self.server.listen = f"127.0.0.1:{self.server.port}"
            return

    def restart(self, fault: str = NONE) -> None:
        self.kill()
        self.deaths += 1
        self.start(fault)

    def kill(self) -> None:
        workers = self.workers()
        self.server.kill()
        for worker in workers:
            kill_process(worker)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to what it has started; a dead process hears nothing."""
        with suppress(ProcessLookupError, OSError):
            for each in [] if self.is_dead else [self.server.pid, *self.workers()]:
                os.kill(each, number)

    def workers(self) -> list[int]:
        """Return the processes that it has started, by number."""
        if self.is_dead:
            return []
        children = Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children")
        return [int(number) for number in children.read_text().split()]

    def kill_one(self, chance: random.Random) -> bool:
        """Kill one of its workers, if it has some; it starts another one by itself."""
        workers = self.workers()
        if workers:
            kill_process(chance.choice(workers))
            self.deaths += 1
        return bool(workers)

    @property
    def is_dead(self) -> bool:
        return self.server.is_dead


class AskerDoor:
    """An embedded verifier in a process of its own."""

    def __init__(
        self,
        place: Path | str,
        name: str,
        folder: Path,
        *,
        mutant: str,
        credential: str = "",
        pace: Sequence[float] = (),
    ) -> None:
        """Let it be over a directory, or over the URL of a server; `pace` is as `asker.run` takes it."""
        self.label, self.deaths, self.life = name, 0, 0
        self._command = [*program(mutant), "ask", str(place)]
        self._folder, self._credential, self._pace = folder, credential, [str(each) for each in pace]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def start(self, known: Sequence[Told]) -> None:
        self.life += 1
        process = subprocess.Popen(
            [*self._command, self.name, str(self._folder), *self._pace],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(PATHS),
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(self._credential + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "asking\n":
            raise RuntimeError("an embedded verifier did not start")
        with self._lock:
            self._process = process
        for each in known:
            self.tell(id=each.id, value=each.value)

    @property
    def name(self) -> str:
        return f"{self.label}.{self.life}"

    def tell(self, **line: object) -> None:
        """Send a line; a dead process hears nothing."""
        with self._lock, suppress(OSError, ValueError):
            if self._process and self._process.stdin:
                self._process.stdin.write(json.dumps(line) + "\n")
                self._process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.deaths += 1
        self._close()

    def finish(self, done: Path) -> None:
        """Let it ask about everything once more, and end."""
        self.tell(final=str(done))
        poll(done.exists, seconds=60)
        self._close()

    def _close(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process:
            process.wait(timeout=30)
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]


class Host:
    """All of them, over one installation."""

    def __init__(
        self, folder: Path, *, doors: Sequence[str], mutant: str, askers: int, points: Sequence[str] = ()
    ) -> None:
        """Make the installation, if there is none. `points` is where servers die, besides anywhere."""
        self.folder, self.data, self.history = folder, folder / "data", folder / "history"
        self.history.mkdir()
        if not self.data.exists():
            make_installation(self.data)
        self.mutant, self.points = mutant, points
        self.missing = [command for command in doors if command != "serve" and not has_command(command)]
        self.http = [HttpDoor(self.data, name, mutant=mutant) for name in doors if name not in self.missing]
        self.askers = [
            AskerDoor(self.data, f"embedded{number}" if number else FORGETFUL, self.history, mutant=mutant)
            for number in range(askers)
        ]
        self.known: list[Told] = []
        self.stop = threading.Event()
        self.commands_killed = 0
        self.named = 0
        """Deaths at a named point."""

    @property
    def serve(self) -> HttpDoor:
        return self.http[0]

    def start(self) -> None:
        for door in self.http:
            door.start()
        for asker in self.askers:
            asker.start(())

    def tell(self, token: Told, *, stalk: bool) -> None:
        """Let every embedded verifier know of a token, or that it is about to end."""
        if not stalk:
            self.known.append(token)
        for asker in self.askers:
            asker.tell(id=token.id, value=token.value, **({"stalk": True} if stalk else {}))

    def settled(self, life: int) -> bool:
        """Wait until nothing can come any more of a call to the server in that life that got no answer."""
        deadline = time.monotonic() + DEATH_SECONDS
        while time.monotonic() < deadline:
            if self.serve.life != life or self.serve.is_dead:
                return True
            time.sleep(0.02)
        return False

    def command(self, *arguments: str, fault: str = NONE, kill_after: float | None = None, token: str = "") -> int:
        """Run a command to its end, or to its death; return its exit code."""
        extra = {"GATEPASS_URL": f"http://{self.serve.server.listen}", "GATEPASS_TOKEN": token} if token else {}
        process = subprocess.Popen(
            [*program(self.mutant, fault), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(PATHS | extra),
        )
        try:
            code = process.wait(timeout=kill_after or 60)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait(timeout=30)
        self.commands_killed += code == -signal.SIGKILL
        self.named += code == -signal.SIGKILL and fault != NONE
        return code

    def kill_servers(self, chance: random.Random, every: float) -> None:
        """Let servers die at named points and anywhere, and start them again; until told to stop."""
        while not self.stop.is_set():
            door = chance.choice(self.http)
            deadline = time.monotonic() + chance.uniform(0.5, 1.5) * every
            while time.monotonic() < deadline and not self.stop.is_set() and not any(d.is_dead for d in self.http):
                time.sleep(0.02)
            if self.stop.is_set():
                return
            dead = next((each for each in self.http if each.is_dead), None)
            self.named += dead is not None
            point = chance.choice([*self.points, NONE])
            fault = NONE if point == NONE or (dead or door) is not self.serve else f"{point}:{chance.randint(1, 20)}"
            if dead or chance.random() < 0.3 or not door.kill_one(chance):
                (dead or door).restart(fault)

    def kill_askers(self, chance: random.Random, every: float) -> None:
        """Kill embedded verifiers, or let them stand still for a moment; until told to stop."""
        while not self.stop.wait(chance.uniform(0.5, 1.5) * every):
            asker = chance.choice(self.askers)
            if chance.random() < 0.3:
                asker.signal(signal.SIGSTOP)
                time.sleep(chance.uniform(0.05, 0.3))
                asker.signal(signal.SIGCONT)
            else:
                asker.kill()
                time.sleep(chance.uniform(0, 0.5))
                asker.start(self.known[-200:])

    def close(self) -> None:
        self.stop.set()
        for asker in self.askers:
            asker.kill()
        for door in self.http:
            door.kill()
