"""A cluster as real processes: PostgreSQL with a standby, servers over it, and verifiers of every kind elsewhere.

Each process reaches what it goes by through a line of its own, which can be broken. What the nemesis does to
them is in `cluster_nemesis.py`.
"""

import os
import shutil
import signal
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from faults.history import send
from faults.host import AskerDoor, HttpDoor, Told
from faults.launch import NONE
from support.faketime import WallClock
from support.line import Line, Lines
from support.postgres import PostgresPair, PostgresServer, database_of, url_through
from support.server import EMAIL, PASSWORD, gatepass
from support.waiting import poll

NODE, LISTENER, REMOTE = "node", "listener", "remote"
SETTLED_SECONDS = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A process, and the line by which it reaches the database or a server."""

    kind: str
    door: HttpDoor | AskerDoor
    line: Line
    is_upstream: bool = False
    """Whether it goes by a server, and not by the database."""

    @property
    def name(self) -> str:
        return self.door.label


class Cluster:
    """All of it. `start` it, and `close` it whatever happens."""

    def __init__(
        self,
        folder: Path,
        *,
        bound: int,
        mutant: str = NONE,
        nodes: int = 3,
        remotes: int = 3,
        has_clock: bool = True,
        is_synchronous: bool = True,
    ) -> None:
        """Make an installation whose changes count everywhere within `bound` seconds.

        With `has_clock` the last server has a wall clock that can be set; without `is_synchronous` no commit
        waits for the standby.
        """
        self.folder, self.bound, self.mutant, self._remotes = folder, bound, mutant, remotes
        self.history = folder / "history"
        self.history.mkdir()
        self._stack = ExitStack()
        self.known: list[Told] = []
        self.stalked: dict[str, tuple[Told, float]] = {}
        """Tokens that are about to end or just have, and until when they are asked about."""
        self.stop = threading.Event()
        self.calm = threading.Event()
        """Set while nothing is broken."""
        self.calm.set()
        self.members: list[Member] = []
        try:
            self.pair = PostgresPair(is_synchronous=is_synchronous)
            self._stack.callback(self.pair.close)
            self.lines = self._stack.enter_context(Lines())
            self._install()
            self.clock = WallClock(folder) if has_clock else None
            for number in range(nodes):
                env = self.clock.env if self.clock and number == nodes - 1 else {}
                self._add_over_database(NODE, "serve", f"node{number}", env=env)
            self._add_over_database(LISTENER, "verifier", "listener0")
        except BaseException:
            self._stack.close()
            raise

    def _install(self) -> None:
        self.database = database_of(self.pair.primary.create_database())
        place = self.console()
        init = ("init", *place, "--email", EMAIL, "--password-file", "-", "--enable-tokens")
        for command, stdin in ((init, PASSWORD), (("settings", "set", "verifiers.boundSeconds", str(self.bound)), "")):
            done = gatepass(*command, *(place if command is not init else ()), stdin=stdin)
            if done.returncode:
                raise RuntimeError(done.stderr)
        self._credential = gatepass("verifiers", "add", "edge", *place).stdout.strip()

    def console(self) -> list[str]:
        """Return the options by which a command opens the installation on the primary, through no line."""
        return ["--data", str(self.folder / "data"), "--database", self.pair.primary.url(self.database)]

    def _add_over_database(self, kind: str, command: str, label: str, *, env: dict[str, str] | None = None) -> None:
        data = self.folder / label
        shutil.copytree(self.folder / "data", data, ignore=shutil.ignore_patterns("*.lock"))
        line = self.lines.to(self.pair.primary.socket)
        place = "--database", url_through(line, self.database)
        door = HttpDoor(data, command, *place, mutant=self.mutant, label=label, env=env)
        self.members.append(Member(kind, door, line))

    def start(self) -> None:
        """Start the servers, then what goes by them."""
        self._stack.callback(self._kill)
        for member in self.members:
            self.revive(member)
        file = self.folder / "credential"
        file.touch(0o600)
        file.write_text(self._credential)
        self.ports = [node.door.server.port for node in self.of(NODE)]
        line = self.lines.to(self.ports[-1])
        flags = ("--upstream", line.url, "--credential-file", str(file))
        listener = HttpDoor(self.folder / "data", "verifier", *flags, mutant=self.mutant, label="listener1")
        self.members.append(Member(LISTENER, listener, line, is_upstream=True))
        for number in range(self._remotes):
            line = self.lines.to(self.ports[number % len(self.ports)])
            facts = {"mutant": self.mutant, "credential": self._credential, "pace": (0.3, self.bound + 2)}
            asker = AskerDoor(line.url, f"remote{number}", self.history, **facts)
            self.members.append(Member(REMOTE, asker, line, is_upstream=True))
        for member in [each for each in self.members if each.is_upstream]:
            self.revive(member)
        self.require_well()

    def of(self, kind: str) -> list[Member]:
        return [each for each in self.members if each.kind == kind]

    @property
    def http(self) -> list[HttpDoor]:
        return [each.door for each in self.members if isinstance(each.door, HttpDoor)]

    @property
    def askers(self) -> list[AskerDoor]:
        return [each.door for each in self.members if isinstance(each.door, AskerDoor)]

    @property
    def over_database(self) -> list[Member]:
        return [each for each in self.members if not each.is_upstream]

    def tell(self, token: Told) -> None:
        """Let everybody know of a token."""
        self.known.append(token)
        for asker in self.askers:
            asker.tell(id=token.id, value=token.value)

    def stalk(self, token: Told) -> None:
        """Let everybody ask about a token until two seconds after the bound."""
        self.stalked[token.id] = token, time.monotonic() + self.bound + 2
        for asker in self.askers:
            asker.tell(id=token.id, value=token.value, stalk=True)

    def revive(self, member: Member, *, seconds: float = 120) -> None:
        """Start a dead process, again and again while what it needs is away."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if isinstance(member.door, AskerDoor):
                    member.door.start(self.known[-200:])
                elif member.door.is_dead:
                    member.door.start()
            except (RuntimeError, OSError):
                if time.monotonic() > deadline:
                    raise
                member.door.kill()
                time.sleep(1)
            else:
                return

    def settled(self, door: HttpDoor, life: int) -> bool:
        """Wait until nothing new can come of a request to a server in that life that got no answer."""
        deadline = time.monotonic() + SETTLED_SECONDS
        while time.monotonic() < deadline:
            if door.life != life or door.is_dead:
                return True
            time.sleep(0.1)
        return False

    def require_well(self) -> None:
        """Return when every server and listener says that it is ready."""
        for member in self.members:
            member.door.signal(signal.SIGCONT)
        for member in self.members:
            if isinstance(member.door, HttpDoor):
                self.revive(member)
                poll(lambda door=member.door: self._is_ready(door), seconds=60)

    def _is_ready(self, door: HttpDoor) -> bool:
        reply = send(door.server, "GET", "/readyz", "", seconds=3)
        return reply is not None and reply.status == 200

    def query(self, statement: str) -> list[tuple]:
        """Ask the primary as its superuser, through no line."""
        return self.pair.primary.execute(statement, self.database)

    def lead_all(self, primary: PostgresServer, *, but: Member | None = None) -> None:
        """Let everybody reach another primary."""
        for member in self.over_database:
            if member is not but:
                member.line.lead(primary.socket)

    def _kill(self) -> None:
        self.stop.set()
        for member in self.members:
            member.door.kill()

    def close(self) -> None:
        self._stack.close()

    def logs(self) -> str:
        """Return the last lines of every log, for whoever reads why something failed."""
        found = []
        for path in sorted(self.folder.glob("*.log")):
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - 2000), os.SEEK_SET)
                found.append(f"--- {path.name}\n{file.read().decode(errors='replace')}")
        return "\n".join(found)
