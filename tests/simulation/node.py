"""A verifier on another machine than its server: the product's own parts, put together as `RemoteVerifier` does."""

from gatepass.verifier.follower import Follower
from gatepass.verifier.lease import Lease
from gatepass.verifier.remote import RemoteSource
from gatepass.verifier.verifier import Verifier
from simulation.machine import Machine
from simulation.network import Network, Upstream
from simulation.server import Server, poll


class Node:
    """One verifier after another, on one machine. Threads are tasks here, connections messages."""

    def __init__(self, network: Network, machine: Machine, servers: list[Server]) -> None:
        self.machine = machine
        self._upstream = Upstream(network, machine, servers)
        machine.started.append(self.start)

    def start(self) -> None:
        self.lease = Lease(self.machine.clock())
        self.follower = Follower(self.lease)
        source = RemoteSource(self._upstream, self.follower)
        self.verifier = Verifier(source, self.follower, now=self.machine.wall)
        poll(self.machine, self.follower, source)
