"""A machine: two clocks that need not agree with anybody's, and the process that runs there."""

from collections.abc import Callable
from random import Random

from gatepass.verifier.lease import LeaseClock
from simulation.world import Process, World

START = 1_767_225_600.0
"""The first of January 2026."""


class Machine:
    """Clocks run up to one part in a hundred too fast or too slow, and the wall clock is set at times."""

    def __init__(self, world: World, name: str) -> None:
        chance: Random = world.random
        self.world, self.name = world, name
        self.lives = 0
        self._rate = chance.uniform(0.99, 1.01)
        self._boot = chance.uniform(10, 1e6)
        self._wall = START + chance.uniform(-0.5, 0.5)
        self.counts_sleep = chance.random() < 0.7
        """Whether its clock since boot goes on while it is suspended. If not, its wall clock is not set here: where one
        clock stands still and the other goes back within one lease, nobody can tell."""
        self._suspended_until = 0.0
        self._wrong = 0.0
        """What the wall clock was set by, until somebody puts it right."""
        self.process = Process(world, name)
        self.started: list[Callable[[], None]] = []
        """What to do in each new life."""

    @property
    def door(self) -> str:
        """The name of this life in a history."""
        return f"{self.name}.{self.lives}"

    def clock(self) -> LeaseClock:
        return LeaseClock(self.boot, self.wall)

    def boot(self) -> float:
        return self._boot + self._rate * self.world.now

    def wall(self) -> float:
        return self._wall + self._wrong + self._rate * self.world.now

    def set_wall(self, by: float) -> None:
        if self.counts_sleep:
            self._wrong += by

    def put_right(self) -> None:
        """Set the wall clock to what it was before it was set, as a time service does."""
        self._wrong = 0.0

    def suspend(self, seconds: float, *, stands: bool) -> None:
        """Let nothing run for so long; the clock since boot or, if it `stands`, the wall clock may stand still meanwhile."""
        self.process.stop(seconds)
        begins = max(self.world.now, self._suspended_until)
        self._suspended_until = max(begins, self.world.now + seconds)
        stood = self._rate * (self._suspended_until - begins)
        if not self.counts_sleep:
            self._boot -= stood
        elif stands:
            self._wrong -= stood

    def start(self) -> None:
        """Begin the next life."""
        self.process = Process(self.world, self.name)
        self.lives += 1
        for each in self.started:
            each()

    def restart(self, after: float) -> None:
        """Kill the process; a new one starts after so long."""
        if self.process.is_alive:
            self.process.kill()
            self.world.at(after, self.start)
