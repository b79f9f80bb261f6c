"""What clients do to one host: create, delete, disable, rename, switch off, ask. All of it recorded."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from faults.history import OWN, send
from faults.host import Host, HttpDoor, Told
from faults.launch import NONE
from faults.oracle import FEATURE, NEVER, SECOND
from faults.recorder import Recorder, now
from support.server import PASSWORD, Reply

ENABLED = "apiAccessTokens.enabled"
REFUSED, BROKEN = 400, 500


@dataclass
class Person:
    """Somebody with tokens. One thread at a time disables, renames and removes them."""

    id: str
    email: str
    master: Told
    renamed: int = 0


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds between what a client does, and how often commands are killed. 0: not at all."""

    create: float = 0.1
    delete: float = 0.15
    switch: float = 0.4
    command: float = 0.8
    feature: float = 2.5
    ask: float = 0.01
    off: float = 0.2
    """How long the feature stays off, at most."""
    kill_commands: float = 0.3
    console_points: tuple[str, ...] = ()
    """Where a console command that changes settings on the disk dies."""
    lifetimes: tuple[int, ...] = (-1, -1, -1, 3600, 1, 2)


Client = tuple[str, float, Callable[[Recorder, random.Random], None]]
"""Its name, about how many seconds lie between what it does (0: it does nothing), and what that is."""


def start_clients(
    clients: Sequence[Client], *, seed: int, stop: threading.Event, recorder: Callable[[str], Recorder]
) -> list[threading.Thread]:
    """Start a thread for each; they end when `stop` is set. Each has chances and a recorder of its own."""

    def repeat(name: str, pause: float, work: Callable[..., None], chance: random.Random) -> None:
        own = recorder(name)
        while not stop.wait(chance.uniform(0.5, 1.5) * pause):
            work(own, chance)

    threads = []
    for number, (name, pause, work) in enumerate(clients):
        if pause:
            arguments = (name, pause, work, random.Random(seed * 100 + number))
            threads.append(threading.Thread(target=repeat, args=arguments, name=name))
    for thread in threads:
        thread.start()
    return threads


@dataclass
class Load:
    """The clients and what they know."""

    host: Host
    rates: Rates
    seed: int
    people: list[Person] = field(default_factory=list)
    commanded: list[Person] = field(default_factory=list)
    """Those whom the command line disables and enables."""
    living: dict[str, tuple[Told, float]] = field(default_factory=dict)
    """Tokens nobody has tried to delete, and when they were made."""
    strangers: set[str] = field(default_factory=set)
    _made: int = 0

    def prepare(self, people: int) -> None:
        """Add the people and the administrator's token."""
        recorder = self.recorder("prepare")
        made = self.host.serve.server.create_token(lifetimeSeconds=-1)
        self.admin = Told(made[1]["tokenId"], made[0])
        self.admin_id = self.host.serve.server.request("GET", "/v4/people/current", bearer=self.admin.value).json["id"]
        self.strangers |= {self.admin.id, self.admin_id}
        self.change(recorder, "set", None, ("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True}))
        self.people = [self.add_person(recorder) for _ in range(people)]
        self.commanded = [self.add_person(recorder) for _ in range(2)] if self.rates.command else []

    def recorder(self, name: str) -> Recorder:
        return Recorder(self.host.history / f"{name}.jsonl")

    def add_person(self, recorder: Recorder) -> Person:
        """Add somebody, with a token that is never deleted, while the server is well."""
        self._made += 1
        email = f"person{self._made}@example.com"
        person = self.host.serve.server.create_person(email)["id"]
        recorder.end(recorder.begin("rename", person, door="rest", name=email), "ok")
        call = recorder.begin("create", None, door=self.host.serve.name, owner=person)
        value, info = self.host.serve.server.create_token(basic=(email, PASSWORD), lifetimeSeconds=-1)
        recorder.end(call, "ok", subject=info["tokenId"])
        master = Told(info["tokenId"], value)
        self.host.tell(master, stalk=False)
        return Person(person, email, master)

    def start(self) -> list[threading.Thread]:
        """Start every client that the rates ask for; they end when the host is told to stop."""
        host, rates = self.host, self.rates
        works: list[Client] = [
            ("create", rates.create, self.create),
            ("delete", rates.delete, self.delete),
            ("switch", rates.switch, self.switch),
            ("command", rates.command, self.command),
            ("feature", rates.feature, self.feature),
        ]
        works += [(f"ask-{door.command}", rates.ask, partial(self.ask, door)) for door in host.http]
        return start_clients(works, seed=self.seed, stop=host.stop, recorder=self.recorder)

    def change(self, recorder: Recorder, op: str, subject: str | None, request: tuple[Any, ...], **facts: Any) -> str:
        """Send one change as the administrator; return and record how it ended."""
        life = self.host.serve.life
        call = recorder.begin(op, subject, door=self.host.serve.name, **facts)
        method, path, *body = request
        return self._end(recorder, call, send(self.host.serve.server, method, path, self.admin.value, *body), life)

    def _end(self, recorder: Recorder, call: int, reply: Reply | None, life: int) -> str:
        if reply is None:
            if self.host.settled(life):
                recorder.end(call, "unknown")
            return "unknown"
        outcome = "ok" if reply.status < REFUSED else "fail" if reply.status < BROKEN else "unknown"
        recorder.end(call, outcome)
        return outcome

    def create(self, recorder: Recorder, chance: random.Random) -> None:
        person, lifetime = chance.choice([*self.people, *self.commanded]), chance.choice(self.rates.lifetimes)
        call = recorder.begin("create", None, door=self.host.serve.name, owner=person.id)
        reply = send(self.host.serve.server, "POST", OWN, person.master.value, {"lifetimeSeconds": lifetime})
        if reply is None or reply.status >= BROKEN:
            return
        if reply.status >= REFUSED:
            recorder.end(call, "fail")
            return
        info = reply.json["tokenInfo"]
        recorder.end(call, "ok", subject=info["tokenId"], expires=_on_our_clock(info["expiredAt"]))
        token = Told(info["tokenId"], reply.json["tokenValue"])
        self.host.tell(token, stalk=False)
        if lifetime == -1:
            self.living[token.id] = (token, time.monotonic())
        elif lifetime < 10:
            self.host.tell(token, stalk=True)
            threading.Timer(lifetime, self.host.tell, (token,), {"stalk": True}).start()

    def take(self, chance: random.Random) -> Told | None:
        """Choose a token to delete, which from now on is asked about by everybody."""
        ripe = [each for each, made in list(self.living.values()) if time.monotonic() - made > 0.2]
        if not ripe:
            return None
        token = chance.choice(ripe)
        del self.living[token.id]
        self.host.tell(token, stalk=True)
        time.sleep(0.02)
        return token

    def delete(self, recorder: Recorder, chance: random.Random) -> None:
        if token := self.take(chance):
            self.change(recorder, "delete", token.id, ("DELETE", f"{OWN}/{token.id}"))

    def switch(self, recorder: Recorder, chance: random.Random) -> None:
        """Disable somebody, and a moment later enable them; or rename or remove them."""
        person, what = chance.choice(self.people), chance.random()
        path = f"/v4/people/{person.id}"
        self.host.tell(person.master, stalk=True)
        if what < 0.15:
            person.renamed += 1
            name = f"v{person.renamed}.{person.email}"
            self.change(recorder, "rename", person.id, ("PATCH", path, {"email": name}), name=name)
        elif what < 0.2 and len(self.people) > 2:
            self.people.remove(person)
            self.change(recorder, "remove", person.id, ("DELETE", path))
        else:
            self.change(recorder, "disable", person.id, ("PATCH", path, {"isDisabled": True}))
            time.sleep(chance.uniform(0, 0.3))
            for _ in range(20):
                if self.change(recorder, "enable", person.id, ("PATCH", path, {"isDisabled": False})) == "ok":
                    return
                time.sleep(0.1)

    def command(self, recorder: Recorder, chance: random.Random) -> None:
        """Do the same by the command line, which may be killed: then nobody knows how far it came."""
        if chance.random() < 0.4:
            if token := self.take(chance):
                self._run(recorder, chance, "delete", token.id, ("token", "delete", token.id))
            return
        if self.commanded:
            person = self.commanded[0]
            self.host.tell(person.master, stalk=True)
            self._run(recorder, chance, "disable", person.id, ("user", "disable", person.id))
            if not self._run(recorder, chance, "enable", person.id, ("user", "enable", person.id)):
                # What was sent may still come about: somebody else's turn.
                self.commanded = self.commanded[1:]

    def _run(
        self, recorder: Recorder, chance: random.Random, op: str, subject: str, arguments: tuple[str, ...]
    ) -> bool:
        kill_after = chance.uniform(0.1, 0.8) if chance.random() < self.rates.kill_commands else None
        life = self.host.serve.life
        call = recorder.begin(op, subject, door="command")
        code = self.host.command(*arguments, kill_after=kill_after, token=self.admin.value)
        if code >= 0 and (code == 0 or self.host.serve.life == life or self.host.settled(life)):
            recorder.end(call, "ok" if code == 0 else "unknown")
        return code >= 0

    def feature(self, recorder: Recorder, chance: random.Random) -> None:
        """Change settings straight on the disk, beside the server, by a command that may die on the way."""
        for value in ("false", "true"):
            if value == "true":
                time.sleep(chance.uniform(0.5, 1) * self.rates.off)
            fault = NONE
            if self.rates.console_points and chance.random() < self.rates.kill_commands:
                fault = f"{chance.choice(self.rates.console_points)}:1"
            while not self._set_feature(recorder, value, fault) and value == "true":
                fault = NONE

    def _set_feature(self, recorder: Recorder, value: str, fault: str) -> bool:
        call = recorder.begin("on" if value == "true" else "off", FEATURE, door="console")
        code = self.host.command("settings", "set", ENABLED, value, "--data", str(self.host.data), fault=fault)
        recorder.end(call, "ok" if code == 0 else "unknown")  # its process is dead: nothing comes later
        return code == 0

    def ask(self, door: HttpDoor, recorder: Recorder, chance: random.Random) -> None:
        """Ask one door about a token, mostly one of the last; on the server also through REST."""
        if self.host.known:
            token = chance.choice(self.host.known[-chance.choice((5, 40)) :])
            ask_about(recorder, token, door, rest=door is self.host.serve and chance.random() < 0.3)


def ask_about(recorder: Recorder, token: Told, door: HttpDoor, *, rest: bool = False, seconds: float = 30) -> None:
    """Ask a door about a token, through /verify or through REST."""
    call = recorder.begin("verify", token.id, door=f"rest-{door.name}" if rest else door.name)
    reply = send(door.server, "GET", "/v4/people/current" if rest else "/verify", token.value, seconds=seconds)
    if reply is None or reply.status not in {200, 401}:
        recorder.end(call, "unknown")
    elif reply.status == 401:
        recorder.end(call, "deny")
    elif rest:
        recorder.end(call, "allow", owner=reply.json["id"])
    else:
        facts = {fact: reply.headers[f"x-gatepass-{header}"] for fact, header in _HEADERS.items()}
        recorder.end(call, "allow", **facts)


_HEADERS = {"owner": "user-id", "name": "user", "told": "token-id"}


def _on_our_clock(instant: str | None) -> float:
    """Return an end in UTC as the recorder's clock will show it."""
    if instant is None:
        return NEVER
    return now() + (datetime.fromisoformat(instant).timestamp() - time.time()) * SECOND
