"""Clients: they create, delete, disable, narrow and ask, and write down what they were told.

Whatever is about to end is stalked: asked about at every door, from the moment its end is sent until two
seconds after the bound.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import UUID

from faults.oracle import FEATURE, NEVER, SECOND, Call
from gatepass.errors import Unavailable
from gatepass.model.base62 import DIGITS
from gatepass.model.presented import PresentedToken, parse_token
from gatepass.model.rights import Rights
from gatepass.model.secret import Secret
from gatepass.model.token import TokenKind, write_token
from gatepass.model.verdict import Accepted
from simulation import store
from simulation.machine import Machine
from simulation.node import Node
from simulation.server import Server
from simulation.store import BOUND
from simulation.world import World

PATIENCE = 3.0
"""So many seconds a client waits for an answer."""
STALKED_SECONDS = BOUND + 2
Door = Node | Server


@dataclass(frozen=True)
class Rates:
    """How often what is done; shares of all that a client does, the rest are questions."""

    create: float = 0.10
    delete: float = 0.05
    disable: float = 0.01
    enable: float = 0.02
    narrow: float = 0.01
    feature: float = 0.001
    people: int = 8
    known: int = 14
    """Tokens that are asked about: the last ones made."""
    clients: int = 5
    pauses: tuple[float, ...] = (0.05, 0.2, 0.5)
    stalked: tuple[float, float] = (0.15, 0.6)
    """Seconds between two questions of a stalker to all doors."""
    again: float = 0.15
    """How likely a stalker asks a door again that has refused."""


class Known:
    """A token and whose it is."""

    def __init__(self, chance: Random, owner: UUID) -> None:
        self.owner = owner
        self.id = UUID(int=chance.getrandbits(128))
        secret = Secret("".join(chance.choices(DIGITS, k=32)))
        self.text = write_token(TokenKind.PERSONAL, self.id, secret).reveal()
        found = parse_token(self.text)
        assert found is not None
        self.presented: PresentedToken = found
        self.name = str(self.id)


@dataclass
class Clients:
    """Everybody who asks something of the servers and verifiers."""

    world: World
    servers: Sequence[Server]
    doors: Sequence[Door]
    rates: Rates
    until: float
    """Nothing new is begun after this moment."""
    calls: list[Call] = field(default_factory=list)
    following: Mapping[str, Sequence[Node]] = field(default_factory=dict)
    """The verifiers that follow one server, by its name, and no other."""
    receipts: list[Call] = field(default_factory=list)
    """Deletions, once for each verifier that can not accept the token any more."""
    known: list[Known] = field(default_factory=list)
    made: int = 0
    accepted: dict[str, Known] = field(default_factory=dict)
    """The token that each machine accepted last."""
    _refused: set[tuple[str, str]] = field(default_factory=set)
    """Tokens and doors."""
    _doomed: set[str] = field(default_factory=set)

    def start(self) -> None:
        chance = self.world.random
        self.people = [UUID(int=chance.getrandbits(128)) for _ in range(self.rates.people)]
        self.off: list[UUID] = []
        for each in self.people:
            self.calls.append(Call("rename", str(each), "", 0, 0, "ok", name="*"))
        for _ in range(self.rates.clients):
            self.world.at(chance.uniform(0, 0.3), self._step)

    @property
    def _now(self) -> int:
        return round(self.world.now * SECOND)

    def _step(self) -> None:
        if self.world.now >= self.until:
            return
        chance = self.world.random
        self._act(chance, chance.random())
        self.world.at(chance.choice(self.rates.pauses) * chance.uniform(0.5, 1.5), self._step)

    def _act(self, chance: Random, dice: float) -> None:
        token = chance.choice(self.known[-self.rates.known :]) if self.known else None
        for name in ("create", "delete", "disable", "enable", "narrow", "feature"):
            share = getattr(self.rates, name)
            if token is None or dice < share:
                getattr(self, name if token else "create")(token)
                return
            dice -= share
        self.ask(chance.choice(self.doors), token)

    def create(self, _: Known | None) -> None:
        token = Known(self.world.random, self.world.random.choice(self.people))
        self.known.append(token)
        row = store.Row(token.owner, token.presented.digest)
        call = self._begin("create", token.name, owner=str(token.owner))
        self._send(call, lambda server: server.create(token.id, row))
        if self.world.random.random() < 0.5:  # who asks too early may be told that it is unknown
            self.stalk([token], self.world.now + 0.3)

    def delete(self, token: Known) -> None:
        self._doomed.add(token.name)
        self.stalk([token], self.world.now + STALKED_SECONDS)
        self._send(self._begin("delete", token.name), lambda server: server.change(store.delete(token.id)), waits=True)

    def delete_accepted(self, machine: Machine) -> None:
        """Delete what a machine accepted last."""
        token = self.accepted.get(machine.name)
        if token and token.name not in self._doomed:
            self.delete(token)

    def disable(self, token: Known) -> None:
        owned = [each for each in self.known[-self.rates.known :] if each.owner == token.owner]
        self.stalk(owned[-2:], self.world.now + STALKED_SECONDS)
        self.off.append(token.owner)
        self._switch(token.owner, on=False)

    def enable(self, _: Known) -> None:
        if self.off:
            self._switch(self.off.pop(0), on=True)

    def _switch(self, owner: UUID, *, on: bool) -> None:
        call = self._begin("enable" if on else "disable", str(owner))
        self._send(call, lambda server: server.change(store.switch(owner, on=on)))

    def narrow(self, token: Known) -> None:
        self.made += 1
        rights = Rights((f"v{self.made}",))
        call = self._begin("rename", str(token.owner), name=rights.scope)
        self._send(call, lambda server: server.change(store.narrow(token.owner, rights)))

    def feature(self, _: Known) -> None:
        self._send(self._begin("off", FEATURE), lambda server: server.change(store.set_feature(on=False)))
        self.world.at(self.world.random.uniform(0.2, 2), self.feature_on)

    def feature_on(self) -> None:
        self._send(self._begin("on", FEATURE), lambda server: server.change(store.set_feature(on=True)))

    def allow_everybody(self) -> None:
        """Switch the feature and all owners on."""
        self.feature_on()
        for each in self.people:
            self._switch(each, on=True)

    def stalk(self, tokens: Sequence[Known], until: float) -> None:
        """Keep asking every door; one that has refused a token already is asked about it less often."""
        for token in tokens:
            for door in self.doors:
                if (
                    token.name,
                    door.machine.door,
                ) not in self._refused or self.world.random.random() < self.rates.again:
                    self.ask(door, token)
        if tokens and self.world.now < until:
            self.world.at(self.world.random.uniform(*self.rates.stalked), self.stalk, tokens, until)

    def ask_everything(self) -> None:
        """Ask every door about every token."""
        for token in self.known:
            for door in self.doors:
                self.ask(door, token)

    def ask(self, door: Door, token: Known) -> None:
        """Ask about a token at one door."""
        process, begun, name = door.machine.process, self._now, door.machine.door

        def task() -> None:
            outcome, facts = "unknown", {}
            try:
                verdict = door.verifier.verify(token.text)
            except Unavailable:
                pass
            else:
                outcome, facts = _told(verdict)
            if outcome == "allow":
                self.accepted[door.machine.name] = token
            elif outcome == "deny":
                self._refused.add((token.name, name))
            self.calls.append(Call("verify", token.name, name, begun, self._now, outcome, **facts))

        if process.is_alive:
            process.spawn(task)

    def _begin(self, op: str, subject: str, **facts: Any) -> Call:
        return Call(op, subject, "", self._now, NEVER, "unknown", **facts)

    def _send(self, call: Call, do: Callable[[Server], tuple[int, int] | None], *, waits: bool = False) -> None:
        """Ask one server for a change; it stays unknown unless its answer comes in time. It may wait for a receipt."""
        server = self.world.random.choice(self.servers)
        process, key, call = server.machine.process, len(self.calls), replace(call, door=server.machine.door)
        self.calls.append(call)

        def task() -> None:
            try:
                done = do(server)
            except Unavailable:
                return
            if self._now - call.begun < PATIENCE * SECOND:
                self.calls[key] = replace(call, ended=self._now, outcome="ok" if done else "fail")
            if waits and done and server.wait_for_receipt(*done):
                # From now on the promise is that of the door which answered, for all verifiers that follow there.
                doors = [each.machine.door for each in self.following[server.machine.name]]
                told = [replace(call, door=door, ended=self._now, outcome="ok") for door in doors]
                self.receipts += told

        if process.is_alive:
            process.spawn(task)


def _told(verdict: Any) -> tuple[str, dict[str, Any]]:
    """Return what an answer says."""
    if isinstance(verdict, Accepted):
        facts = {"owner": str(verdict.owner_id), "name": verdict.rights.scope, "told": str(verdict.token_id)}
        return "allow", facts
    return "deny", {"reason": verdict.reason.value}
