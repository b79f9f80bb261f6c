"""What clients do to a cluster: create, delete, disable, rename, switch off, ask at every door. All of it recorded.

Whoever does not hear how a change ended does it again at another server; nobody tries what might still come about.
"""

import random
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from typing import Any

from faults.cluster import NODE, Cluster
from faults.history import OWN, send
from faults.host import HttpDoor, Told
from faults.load import BROKEN, ENABLED, REFUSED, Client, Person, ask_about, start_clients
from faults.oracle import FEATURE
from faults.recorder import Recorder
from support.server import PASSWORD, gatepass

GONE = 410
CHANGE_SECONDS, ASK_SECONDS = 8.0, 2.5


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between what a client does; 0: not at all."""

    create: float = 0.5
    delete: float = 1.5
    switch: float = 4.0
    feature: float = 90.0
    ask: float = 0.25
    stalk: float = 0.25
    most: int = 24
    """So many tokens live at a time, so that each is in every memory when it ends."""


@dataclass
class ClusterLoad:
    """The clients and what they know."""

    cluster: Cluster
    pace: Pace
    seed: int
    people: list[Person] = field(default_factory=list)
    living: dict[str, tuple[Told, float, str]] = field(default_factory=dict)
    """Tokens that nobody has tried to delete, when they were made, and whose they are."""
    strangers: set[str] = field(default_factory=set)
    _made: int = 0

    def prepare(self, people: int) -> None:
        """Add the people and the administrator's token."""
        self._recorder = self.recorder("prepare")
        server = self.cluster.of(NODE)[0].door.server
        made = server.create_token(lifetimeSeconds=-1)
        self.admin = Told(made[1]["tokenId"], made[0])
        self.strangers |= {
            self.admin.id,
            server.request("GET", "/v4/people/current", bearer=self.admin.value).json["id"],
        }
        server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
        for _ in range(people):
            self.add_person()

    def recorder(self, name: str) -> Recorder:
        return Recorder(self.cluster.history / f"{name}.jsonl")

    def add_person(self) -> None:
        """Add somebody, with a token that is never deleted. Raises OSError or AssertionError if a server is not well."""
        self._made += 1
        email = f"person{self._made}@example.com"
        door = self.cluster.of(NODE)[0].door
        person = door.server.create_person(email)["id"]
        self._recorder.end(self._recorder.begin("rename", person, door="rest", name=email), "ok")
        call = self._recorder.begin("create", None, door=door.name, owner=person)
        value, info = door.server.create_token(basic=(email, PASSWORD), lifetimeSeconds=-1)
        self._recorder.end(call, "ok", subject=info["tokenId"])
        master = Told(info["tokenId"], value)
        self.cluster.tell(master)
        self.people.append(Person(person, email, master))

    def start(self) -> list[threading.Thread]:
        """Start every client; they end when the cluster is told to stop."""
        pace = self.pace
        works: list[Client] = [
            ("create", pace.create, self.create),
            ("delete", pace.delete, self.delete),
            ("delete-too", pace.delete, self.delete),
            ("switch", pace.switch, self.switch),
            ("feature", pace.feature, self.feature),
        ]
        for door in self.cluster.http:
            works.append((f"ask-{door.label}", pace.ask, partial(self.ask, door)))
            works.append((f"stalk-{door.label}", pace.stalk, partial(self.ask_stalked, door)))
        return start_clients(works, seed=self.seed, stop=self.cluster.stop, recorder=self.recorder)

    def _node(self, chance: random.Random) -> HttpDoor:
        return chance.choice(self.cluster.of(NODE)).door

    def change(
        self, recorder: Recorder, chance: random.Random, op: str, subject: str, request: tuple[Any, ...], **facts: Any
    ) -> str:
        """Send one change as the administrator to one of the servers; return and record how it ended.

        `lost` if it may still come about, whenever; the record has no end then.
        """
        door = self._node(chance)
        life = door.life
        call = recorder.begin(op, subject, door=door.name, **facts)
        method, path, *body = request
        reply = send(door.server, method, path, self.admin.value, *body, seconds=CHANGE_SECONDS)
        if reply is None and not self.cluster.settled(door, life):
            return "lost"
        if reply is None or reply.status >= BROKEN:
            recorder.end(call, "unknown")
            return "unknown"
        is_done = reply.status < REFUSED or (op == "delete" and reply.status == GONE)
        recorder.end(call, "ok" if is_done else "fail")
        return "ok" if is_done else "fail"

    def create(self, recorder: Recorder, chance: random.Random) -> None:
        if len(self.living) >= self.pace.most:
            return
        person, door = chance.choice(self.people), self._node(chance)
        call = recorder.begin("create", None, door=door.name, owner=person.id)
        reply = send(door.server, "POST", OWN, person.master.value, {"lifetimeSeconds": -1}, seconds=CHANGE_SECONDS)
        if reply is None or reply.status >= BROKEN:
            return
        if reply.status >= REFUSED:
            recorder.end(call, "fail")
            return
        info = reply.json["tokenInfo"]
        recorder.end(call, "ok", subject=info["tokenId"])
        token = Told(info["tokenId"], reply.json["tokenValue"])
        self.cluster.tell(token)
        self.living[token.id] = token, time.monotonic(), person.id

    def delete(self, recorder: Recorder, chance: random.Random) -> None:
        """Delete a token that everybody has met, at one server after the other until one says that it is gone."""
        ripe = [each for each, made, _ in list(self.living.values()) if time.monotonic() - made > self.pace.most / 8]
        if not ripe:
            return
        token = chance.choice(ripe)
        if self.living.pop(token.id, None) is None:
            return  # the other one was quicker
        self.cluster.stalk(token)
        time.sleep(2 * self.pace.stalk)
        while self.change(recorder, chance, "delete", token.id, ("DELETE", f"{OWN}/{token.id}")) in {"unknown", "lost"}:
            self.cluster.stalk(token)
            if self.cluster.stop.wait(0.3):
                return
        self.cluster.stalk(token)

    def switch(self, recorder: Recorder, chance: random.Random) -> None:
        """Disable somebody, and a moment later enable them; or rename or remove them."""
        person, what = chance.choice(self.people), chance.random()
        path, change = f"/v4/people/{person.id}", partial(self.change, recorder, chance)
        self.cluster.stalk(person.master)
        if what < 0.15:
            person.renamed += 1
            name = f"v{person.renamed}.{person.email}"
            if change("rename", person.id, ("PATCH", path, {"email": name}), name=name) == "lost":
                self._let_go(person)
        elif what < 0.2:
            self._let_go(person)
            change("remove", person.id, ("DELETE", path))
        else:
            done = change("disable", person.id, ("PATCH", path, {"isDisabled": True}))
            self.cluster.stop.wait(chance.uniform(0, 1.5) * self.cluster.bound)
            self.cluster.stalk(person.master)
            while done != "lost" and not self.cluster.stop.is_set():
                done = change("enable", person.id, ("PATCH", path, {"isDisabled": False}))
                if done == "ok":
                    return
                self.cluster.stop.wait(0.5)
            self._let_go(person)

    def _let_go(self, person: Person) -> None:
        """Change somebody no more, of whom nobody can tell any more how they are; and take on somebody else."""
        self.people.remove(person)
        for token, _, owner in list(self.living.values()):
            if owner == person.id:
                self.living.pop(token.id, None)
        while not self.cluster.stop.is_set():
            try:
                self.add_person()
            except (OSError, HTTPException, AssertionError, ValueError):
                self.cluster.stop.wait(1)
            else:
                return

    def feature(self, recorder: Recorder, chance: random.Random) -> None:
        """Switch the feature off and on by a command, while nothing is broken."""
        if not self.cluster.calm.is_set():
            return
        if self._set_feature(recorder, "off", "false"):
            time.sleep(chance.uniform(0, 1))
        while not self._set_feature(recorder, "on", "true"):
            time.sleep(0.5)

    def _set_feature(self, recorder: Recorder, op: str, value: str) -> bool:
        call = recorder.begin(op, FEATURE, door="console")
        done = gatepass("settings", "set", ENABLED, value, *self.cluster.console())
        recorder.end(call, "unknown" if done.returncode else "ok")  # its process is dead: nothing comes later
        return not done.returncode

    def ask(self, door: HttpDoor, recorder: Recorder, chance: random.Random) -> None:
        """Ask one door about a token that lives, or one of the last; at servers also through REST."""
        living = [token for token, _, _ in list(self.living.values())]
        known = living if living and chance.random() < 0.8 else self.cluster.known[-40:]
        rest = door.command == "serve" and chance.random() < 0.2
        ask_about(recorder, chance.choice(known), door, rest=rest, seconds=ASK_SECONDS)

    def ask_stalked(self, door: HttpDoor, recorder: Recorder, _: random.Random) -> None:
        """Ask one door about every token that is about to end, or just has."""
        for token, until in list(self.cluster.stalked.values()):
            if self.cluster.stop.is_set():
                return
            ask_about(recorder, token, door, seconds=ASK_SECONDS)
            if until < time.monotonic() and self.cluster.stalked.get(token.id) == (token, until):
                self.cluster.stalked.pop(token.id, None)
