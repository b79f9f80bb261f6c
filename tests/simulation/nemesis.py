"""What goes wrong: one fault after another, and several at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType

from simulation.machine import Machine
from simulation.network import Network
from simulation.server import STORE
from simulation.store import Store
from simulation.world import World

FAULTS: Mapping[str, float] = MappingProxyType(
    {
        "cut": 4,
        "slow": 2,
        "restart": 1.5,
        "stop": 1.5,
        "suspend": 1,
        "clock": 1,
        "fail_over": 0.4,
        "trim": 1,
        "ambush": 1,
    }
)
"""How likely each is, beside the others."""
LONGEST = 9.0
STEPS = (-3600.0, -9.0, -4.0, 3.0, 9.0)
CUT = ("there", "back", "both")


@dataclass
class Nemesis:
    """Disturbs machines and the ways between them until a moment, and then puts everything right."""

    world: World
    network: Network
    store: Store
    ways: Mapping[Machine, Sequence[str]]
    """Which machines each one asks."""
    victims: Mapping[Machine, Callable[[], None]]
    """Verifiers, and how a token that each one has accepted is deleted."""
    until: float
    faults: Mapping[str, float] = field(default_factory=lambda: FAULTS)
    every: tuple[float, float] = (0.4, 3.0)
    counts: dict[str, int] = field(default_factory=dict)

    def start(self) -> None:
        chance = self.world.random
        self.world.at(chance.uniform(1.5, 3), self.ambush)
        self.world.at(chance.uniform(0.5, 2), self._strike)
        self.world.at(self.until, self.heal)

    def ambush(self) -> None:
        """Cut a verifier off, both ways, just before a token is deleted that it has accepted."""
        chance = self.world.random
        machine = chance.choice(list(self.victims))
        self._cut_ways(machine, "both", chance.uniform(1, LONGEST))
        self.world.at(chance.uniform(0, 0.3), self.victims[machine])

    def _strike(self) -> None:
        if self.world.now >= self.until:
            return
        chance = self.world.random
        [name] = chance.choices(list(self.faults), list(self.faults.values()))
        self.counts[name] = self.counts.get(name, 0) + 1
        getattr(self, f"_{name}")(chance, chance.choice(list(self.ways)))
        self.world.at(chance.uniform(*self.every), self._strike)

    def heal(self) -> None:
        self.network.cut.clear()
        self.network.slow.clear()
        for machine in self.ways:
            machine.put_right()

    def _cut(self, chance: Random, machine: Machine) -> None:
        """Cut a machine off, one way or both; some of them restart, are stopped or set back meanwhile."""
        self._cut_ways(machine, chance.choice(CUT), chance.uniform(0.5, 14))
        for other in (self._restart, self._stop, self._set_back, self._trim):
            if chance.random() < 0.25:
                self.world.at(chance.uniform(0.1, 4.5), other, chance, machine)

    def _cut_ways(self, machine: Machine, direction: str, seconds: float) -> None:
        for there in self.ways[machine]:
            ways = {(machine.name, there)} if direction != "back" else set()
            ways |= {(there, machine.name)} if direction != "there" else set()
            self.network.cut |= ways
            self.world.at(seconds, self.network.cut.difference_update, ways)

    def _ambush(self, _: Random, __: Machine) -> None:
        self.ambush()

    def _slow(self, chance: Random, machine: Machine) -> None:
        there, longest = chance.choice(self.ways[machine]), chance.uniform(0.3, 4)
        for way in ((machine.name, there), (there, machine.name)):
            if chance.random() < 0.7:
                self.network.slow[way] = longest
                self.world.at(chance.uniform(1, 12), self.network.slow.pop, way, None)

    def _restart(self, chance: Random, machine: Machine) -> None:
        machine.restart(chance.choice((0.05, 0.5)))

    def _stop(self, chance: Random, machine: Machine) -> None:
        machine.process.stop(min(chance.uniform(0.2, LONGEST), max(0.0, self.until - self.world.now) + 1))

    def _suspend(self, chance: Random, machine: Machine) -> None:
        seconds = min(chance.uniform(1, LONGEST), max(0.0, self.until - self.world.now) + 1)
        machine.suspend(seconds, stands=chance.random() < 0.5)
        self.world.at(seconds + chance.uniform(0, 3), machine.put_right)

    def _clock(self, chance: Random, machine: Machine) -> None:
        machine.set_wall(chance.choice(STEPS))
        self.world.at(chance.uniform(1, 10), machine.put_right)

    def _set_back(self, chance: Random, machine: Machine) -> None:
        machine.set_wall(chance.choice((-9.0, -4.0)))
        self.world.at(chance.uniform(5, 15), machine.put_right)

    def _fail_over(self, chance: Random, _: Machine) -> None:
        self.store.fail_over(chance.uniform(0.2, 3))

    def _trim(self, chance: Random, _: Machine) -> None:
        self.store.trim(chance.randrange(4))


def ways_of(servers: Sequence[Machine], nodes: Mapping[Machine, Sequence[Machine]]) -> Mapping[Machine, Sequence[str]]:
    """Return which machines each one asks: verifiers their servers, servers the store."""
    found: dict[Machine, Sequence[str]] = {each: [STORE] for each in servers}
    return found | {node: [each.name for each in asked] for node, asked in nodes.items()}
