"""Messages between machines: late, lost, overtaking each other, cut off one way or both; and HTTP over them.

`Upstream` stands in the place of the product's: what it opens is used by the product's own client.
"""

import http.client
import json
from collections.abc import Callable
from random import Random
from typing import Any

from gatepass.verifier.remote import LOOK_UP_SECONDS
from simulation.machine import Machine
from simulation.world import Box, World

Reply = Callable[[int, bytes], None]


class Network:
    """Ways from machine to machine, by their names."""

    def __init__(self, world: World, *, late: float, lost: float = 0.005) -> None:
        self.world = world
        self.cut: set[tuple[str, str]] = set()
        self.slow: dict[tuple[str, str], float] = {}
        """The longest delay there."""
        self._lost, self._late = lost, late

    def send(self, here: str, there: str, deliver: Callable[..., Any], *arguments: Any) -> None:
        """Bring something there, if the way is open now and when it arrives."""
        if (here, there) not in self.cut and self.world.random.random() >= self._lost:
            self.world.at(self._delay(here, there), self._arrive, here, there, deliver, arguments)

    def _arrive(self, here: str, there: str, deliver: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        if (here, there) not in self.cut:
            deliver(*arguments)

    def _delay(self, here: str, there: str) -> float:
        chance: Random = self.world.random
        if longest := self.slow.get((here, there)):
            return chance.uniform(0.05, longest)
        if chance.random() < self._late:
            return chance.uniform(0.2, 2.5)
        return chance.choice((0.0005, 0.001, 0.005, 0.02)) * chance.uniform(0.5, 2)


class Upstream:
    """Which servers a verifier asks: each new connection goes to one of them."""

    url = "https://simulated"

    def __init__(self, network: Network, machine: Machine, servers: list[Any]) -> None:
        self._network, self._machine, self._servers = network, machine, servers

    def open(self) -> "Connection":
        return Connection(self._network, self._machine, self._network.world.random.choice(self._servers))

    def headers(self) -> dict[str, str]:
        return {}


class Connection:
    """What the product takes for an `http.client.HTTPConnection`; one request at a time, as there."""

    def __init__(self, network: Network, machine: Machine, server: Any) -> None:
        self.sock: Connection | None = None
        self._network, self._machine, self._server = network, machine, server
        self._seconds = LOOK_UP_SECONDS
        self._life = 0
        self._answer = Box()

    def settimeout(self, seconds: float) -> None:
        self._seconds = seconds

    def connect(self) -> None:
        self._seconds = LOOK_UP_SECONDS
        self._send(lambda reply: reply(self._server.machine.lives))
        self._life = self._wait()
        self.sock = self

    def request(self, _: str, path: str, body: bytes, __: dict[str, str]) -> None:
        self._send(lambda reply: self._server.receive(self._life, path, body, reply))

    def getresponse(self) -> "Response":
        return Response(*self._wait())

    def close(self) -> None:
        """Let go; what comes later reaches nobody."""
        self.sock = None
        self._answer = Box()

    def _send(self, arrive: Callable[[Callable[[Any], None]], None]) -> None:
        here, there = self._machine.name, self._server.machine.name
        answer = self._answer = Box()

        def deliver() -> None:
            # The kernel answers for a process that is not there: it knows nothing of this connection.
            if self._server.machine.process.is_alive:
                arrive(lambda value: self._network.send(there, here, answer.put, value))
            else:
                self._network.send(there, here, answer.put, ConnectionResetError())

        self._network.send(here, there, deliver)

    def _wait(self) -> Any:
        return self._machine.process.wait(self._answer, self._seconds)


class Response:
    """An answer that came."""

    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self._body = body

    def read(self, _: int) -> bytes:
        return self._body if isinstance(self._body, bytes) else json.dumps(self._body).encode()


OK = http.client.OK
UNAVAILABLE = http.client.SERVICE_UNAVAILABLE
