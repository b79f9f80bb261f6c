"""One run: servers, verifiers, clients and faults from one seed, and what the oracle says of its history."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from faults.oracle import SECOND, Call, Final, Finding, check
from faults.vacuity import Measures, measure
from simulation.clients import Clients, Rates
from simulation.machine import Machine
from simulation.nemesis import FAULTS, Nemesis, ways_of
from simulation.network import Network
from simulation.node import Node
from simulation.server import Server
from simulation.store import BOUND, Store
from simulation.world import World

SERVERS = 2
ASKED = ((0,), (1,), (0, 1))
"""Which servers each verifier asks; the last stands behind a balancer."""


LEAST = 0.2 * BOUND * SECOND
"""A run that accepted nothing so late after its deletion has tested nothing."""
MOST_AMBUSHES = 4


@dataclass(frozen=True)
class Plan:
    """What a run is made of, besides its seed."""

    seconds: float = 12.0
    rates: Rates = field(default_factory=Rates)
    faults: Mapping[str, float] = field(default_factory=lambda: FAULTS)
    every: tuple[float, float] = (0.4, 3.0)
    """Seconds between two faults."""
    late: float = 0.02
    """Share of messages that others overtake."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    findings: list[Finding]
    measures: Measures
    calls: list[Call]
    receipts: int
    """How often a verifier was said to refuse a token from now on."""
    faults: Mapping[str, int]

    @property
    def worst(self) -> float:
        """Return the longest time in seconds from an acknowledged end to a question that was still accepted."""
        return self.measures.latest / SECOND


class Scene:
    """Everything that is there, before it begins."""

    def __init__(self, seed: object, plan: Plan) -> None:
        self.plan = plan
        world = self.world = World(seed)
        network = self.network = Network(world, late=plan.late)
        self.store = Store(world)
        self.servers = [Server(network, Machine(world, f"server{each}"), self.store) for each in range(SERVERS)]
        asked = [[self.servers[each] for each in numbers] for numbers in ASKED]
        self.nodes = [Node(network, Machine(world, f"verifier{each}"), of) for each, of in enumerate(asked)]
        doors = [*self.servers, *self.nodes]
        self.clients = Clients(world, self.servers, doors, plan.rates, plan.seconds)
        self.clients.following = {
            server.machine.name: [node for node, of in zip(self.nodes, asked, strict=True) if of == [server]]
            for server in self.servers
        }
        machines = {node.machine: [server.machine for server in of] for node, of in zip(self.nodes, asked, strict=True)}
        ways = ways_of([each.machine for each in self.servers], machines)
        victims = {each.machine: partial(self.clients.delete_accepted, each.machine) for each in self.nodes}
        self.nemesis = Nemesis(world, network, self.store, ways, victims, plan.seconds, plan.faults, plan.every)

    def play(self) -> Outcome:
        """Let it happen, put everything right, ask every door about every token, and judge."""
        for door in self.clients.doors:
            door.machine.start()
        self.clients.start()
        self.nemesis.start()
        self.world.run(self.plan.seconds + BOUND + 3)
        for _ in range(MOST_AMBUSHES):
            if measure(self.clients.calls).latest < LEAST:
                self._ambush_once_more()
        self.clients.ask_everything()
        self.world.run(self.world.now + 4)
        calls = sorted(self.clients.calls, key=lambda call: call.begun)
        findings = check([*calls, *self.clients.receipts], self._final(), bound=BOUND * SECOND)
        return Outcome(findings, measure(calls), calls, len(self.clients.receipts), self.nemesis.counts)

    def _ambush_once_more(self) -> None:
        """Nothing was accepted late so far, so nothing was tested: try again, with no other fault."""
        self.clients.allow_everybody()
        self.world.run(self.world.now + 1)
        self.clients.create(None)
        self.world.run(self.world.now + 1)
        self.clients.stalk(self.clients.known[-1:], self.world.now + 1)
        self.world.run(self.world.now + 2)
        self.nemesis.ambush()
        self.world.run(self.world.now + 2 * BOUND)

    def _final(self) -> Final:
        state = self.store.state
        return Final(
            round(self.world.now * SECOND),
            {str(token): token not in state.dead for token in state.tokens},
            {str(person): person not in state.off for person in self.clients.people},
            state.events,
        )


def run(seed: object, plan: Plan | None = None) -> Outcome:
    """Play one seed. The same seed, plan and code give the same history."""
    return Scene(seed, plan or Plan()).play()
