"""An installation with every kind of verifier over it, as real processes whose parts can be broken."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from support.asking import Asking
from support.faketime import WallClock
from support.line import Lines
from support.listener import Listener
from support.server import EMAIL, PASSWORD, Reply, Server, gatepass
from support.small_disk import small_disk
from support.visitor import Visitor
from support.waiting import poll

OWN, PAGE = "/v4/apiAccessTokens", "/settings/access-tokens"
Token = tuple[str, str]
"""Value and id."""


@dataclass
class Door:
    """Where a token is verified, over HTTP or in a process that embeds a verifier."""

    place: Server | Listener | Asking
    late: int = 0
    """Answers that were not waited for."""

    def ask(self, token: Token, *, seconds: float = 20) -> str:
        """Return accepted, refused, unavailable, or none within the time."""
        if isinstance(self.place, Asking):
            return self._ask_process(self.place, token[0], seconds)
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)) as connection:
            try:
                connection.request("GET", "/verify", headers={"Authorization": f"Bearer {token[0]}"})
                reply = connection.getresponse()
            except OSError:
                return "none"
        assert reply.status != 503 or reply.headers["retry-after"]
        return {200: "accepted", 401: "refused", 503: "unavailable"}[reply.status]

    @property
    def is_far(self) -> bool:
        return isinstance(self.place, Asking) and "://" in self.place.place

    @property
    def port(self) -> int:
        return int((self.place.url or "127.0.0.1:1").rpartition(":")[2])

    def _ask_process(self, place: Asking, token: str, seconds: float) -> str:
        place.say(token)
        self.late += 1
        while self.late:
            said = place.hear(seconds)
            if said is None:
                return "none"
            self.late -= 1
        return said if said in {"accepted", "unavailable"} else "refused"


@dataclass
class Scene:
    """The installation, on a disk of its own and with a journal on another, where that is allowed."""

    folder: Path
    server: Server
    clock: WallClock
    far_clock: WallClock
    is_fillable: bool = True
    stack: ExitStack = field(default_factory=ExitStack)
    doors: dict[str, list[Door]] = field(default_factory=dict)
    broken_at: float = 0

    @property
    def data(self) -> Path:
        return self.server.data

    @property
    def journal(self) -> Path:
        return self.folder / "journal" / "journal"

    @property
    def all_doors(self) -> list[Door]:
        return [door for doors in self.doors.values() for door in doors]

    @property
    def is_running(self) -> bool:
        return len(self.doors) == 3

    @property
    def has_own_clock(self) -> bool:
        return self.clock.env.items() <= self.server.env.items()

    def begin(self) -> None:
        self.server.start()
        self.server.listen = f"127.0.0.1:{self.server.port}"
        self.line = self.stack.enter_context(Lines()).to(self.server.port)
        self.doors["serve"] = [Door(self.server)]
        self.master, _ = self.server.create_token(lifetimeSeconds=-1)
        self.sign_in()
        self.open_beside()
        self.open_far()

    def set_clock(self, seconds: float) -> None:
        """Set the clock of the host, and wait until the server has noticed."""
        self.clock.shift(seconds)

        def differs() -> float:
            told = parsedate_to_datetime(self.send("GET", "/livez").headers["date"]).timestamp()
            return abs(told - time.time() - seconds)

        poll(lambda: differs() < 5)

    def sign_in(self) -> None:
        self.visitor = Visitor(self.server).sign_in()

    def open_beside(self) -> None:
        """Start what verifies on the host; what does not start is no door."""
        opened = []
        with suppress(RuntimeError):
            opened = [Door(self.stack.enter_context(Listener(self.data, env=self.server.env)))]
        asking = self.stack.enter_context(Asking(str(self.data), env=self.server.env, journal=str(self.journal)))
        if asking.began == "open":
            opened.append(Door(asking))
        if opened:
            self.doors["host"] = opened

    def open_far(self) -> None:
        done = self.command("verifiers", "add", f"far-{time.monotonic_ns()}", "--data", str(self.data), "--json")
        made = json.loads(done.stdout)
        self.verifier_id = made["id"]
        asking = Asking(self.line.url, made["credential"], env=self.far_clock.env)
        self.doors["far"] = [Door(self.stack.enter_context(asking))]

    def stop(self) -> None:
        """Stop what runs on the host."""
        self.server.stop()
        for door in self.doors.pop("host", []):
            door.place.stop()
        self.doors.pop("serve", None)

    def start(self) -> None:
        """Start it; what does not start is no door."""
        try:
            self.server.start()
            self.doors["serve"] = [Door(self.server)]
        except RuntimeError:
            self.server.kill()
        self.open_beside()

    def restart(self, clock: WallClock | None = None) -> None:
        """Start what runs on the host anew, by a clock that can be set: that costs the server a third of a core."""
        self.stop()
        plain = {name: value for name, value in self.server.env.items() if name not in self.clock.env}
        self.server.env = {**plain, **(clock.env if clock else {})}
        self.start()

    def command(self, *arguments: str) -> object:
        done = gatepass(*arguments, env={"GATEPASS_STORE__JOURNAL": str(self.journal)})
        assert done.returncode == 0, done.stderr
        return done

    def send(self, method: str, path: str, body: object = None, *, seconds: float = 20) -> Reply | None:
        """Send a request with a token; None if nothing comes back in time."""
        port = int(self.server.listen.rpartition(":")[2])
        headers = {"Authorization": f"Bearer {self.master}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)) as connection:
            try:
                connection.request(method, path, None if body is None else json.dumps(body), headers)
                reply = connection.getresponse()
                return Reply(reply.status, reply.headers, reply.read())
            except OSError:
                return None

    def create(self, *, seconds: float = 20) -> Reply | None:
        return self.send("POST", OWN, {"lifetimeSeconds": 1800}, seconds=seconds)

    def delete(self, token: Token, *, seconds: float = 20) -> Reply | None:
        return self.send("DELETE", f"{OWN}/{token[1]}", seconds=seconds)

    def token_ids(self) -> set[str]:
        return {row["tokenId"] for row in self.send("GET", OWN).json["data"]}

    def new_token(self) -> Token:
        reply = self.create()
        assert reply.status == 201, reply.body
        return reply.json["tokenValue"], reply.json["tokenInfo"]["tokenId"]

    def prepare(self) -> None:
        """Make tokens: in every memory, in none, deleted, and one to be deleted."""
        poll(lambda: self.send("GET", "/readyz").status == 200)
        self.warm, self.cold, self.dead, self.victim = (self.new_token() for _ in range(4))
        for door in self.all_doors:
            for token in (self.warm, self.dead, self.victim):
                poll(lambda door=door, token=token: door.ask(token) == "accepted")
        assert self.delete(self.dead).status == 204
        poll(lambda: {door.ask(self.dead) for door in self.all_doors} == {"refused"})
        self.known = self.token_ids()

    def require_whole(self) -> None:
        """Everything goes on as before."""
        poll(lambda: self.send("GET", "/readyz").status == 200)
        for token, said in ((self.warm, "accepted"), (self.cold, "accepted"), (self.dead, "refused")):
            for door in self.all_doors:
                poll(lambda door=door, token=token, said=said: door.ask(token) == said)
        made = self.new_token()
        assert self.doors["serve"][0].ask(made) == "accepted"
        assert self.delete(made).status == 204
        assert self.visitor.get(PAGE).status == 200


@contextmanager
def running_scene(folder: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        is_fillable = True
        for name, kilobytes in (("disk", 8192), ("journal", 64)):
            try:
                stack.enter_context(small_disk(folder / name, kilobytes=kilobytes))
            except pytest.skip.Exception:
                is_fillable = False
        (folder / "far").mkdir()
        clock, far_clock = WallClock(folder), WallClock(folder / "far")
        env = {"GATEPASS_STORE__JOURNAL": str(folder / "journal" / "journal")}
        data = str(folder / "disk" / "data")
        init = ("init", "--data", data, "--email", EMAIL, "--password-file", "-", "--enable-tokens")
        assert gatepass(*init, stdin=PASSWORD, env=env).returncode == 0
        assert gatepass("settings", "set", "verifiers.boundSeconds", "1", "--data", data, env=env).returncode == 0
        server = Server(Path(data), env=env)
        server.log = folder / "serve.log"
        stack.callback(server.kill)
        inner = stack.enter_context(ExitStack())
        scene = Scene(folder, server, clock, far_clock, is_fillable, inner)
        scene.begin()
        yield scene
