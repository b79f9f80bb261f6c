"""Virtual time: one thread, a heap of events, and greenlets in which the product's code waits.

Nothing sleeps and nothing looks at a real clock: from one seed comes one history, bit by bit.
"""

import heapq
import random
from collections.abc import Callable
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet


class World:
    """What happens, in order. Times are seconds from the start."""

    def __init__(self, seed: object) -> None:
        self.now = 0.0
        self.random = random.Random(f"{seed}")
        self._events: list[tuple[float, int, Callable[..., Any], tuple[Any, ...]]] = []
        self._count = 0

    def at(self, delay: float, do: Callable[..., Any], *arguments: Any) -> None:
        """Do something after `delay`; what falls on one moment happens in the order it was asked for."""
        self._count += 1
        heapq.heappush(self._events, (self.now + delay, self._count, do, arguments))

    def run(self, until: float) -> None:
        """Let everything happen that happens before `until`."""
        while self._events and self._events[0][0] < until:
            self.now, _, do, arguments = heapq.heappop(self._events)
            do(*arguments)
        self.now = until


class Box:
    """Something that is waited for. It is put once; later ones count for nothing."""

    __slots__ = ("_value", "is_full", "waiting")

    def __init__(self) -> None:
        self.is_full = False
        self.waiting: Callable[[], None] | None = None
        self._value: Any = None

    def put(self, value: Any = None) -> None:
        if not self.is_full:
            self.is_full, self._value = True, value
            if self.waiting:
                self.waiting()

    def look(self) -> Any:
        """Return what was put; raise it if it is an exception."""
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


class Process:
    """One life of a program on a machine: its tasks run until it is killed, and stand still while it is stopped."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.is_alive = True
        self.stopped_until = 0.0
        self._tasks: dict[greenlet, None] = {}  # in order: kills must not depend on addresses

    def spawn(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Run a function as a task of its own, as soon as the process runs."""

        def body() -> None:
            try:
                function(*arguments)
            finally:
                self._tasks.pop(getcurrent(), None)

        task = greenlet(body, self._main())
        self._tasks[task] = None
        self._enter(task)

    def wait(self, box: Box, seconds: float) -> Any:
        """Return what is put into the box; raise TimeoutError after `seconds`. For tasks.

        What came while the process was stopped is there when it goes on, however late that is.
        """
        deadline = self.world.now + seconds
        task, turn = getcurrent(), [True]

        def wake() -> None:
            if turn[0]:
                turn[0] = False
                self.world.at(0, self._enter, task)

        if not box.is_full:
            box.waiting = wake
            self.world.at(seconds, wake)
            task.parent.switch()
            box.waiting = None
        turn[0] = False
        if not box.is_full and self.world.now >= deadline:
            raise TimeoutError("timed out")
        return box.look()

    def rest(self, seconds: float) -> None:
        """Let time pass. For tasks."""
        try:
            self.wait(Box(), seconds)
        except TimeoutError:
            return

    def stop(self, seconds: float) -> None:
        """Let nothing run here for so long (SIGSTOP)."""
        self.stopped_until = max(self.stopped_until, self.world.now + seconds)

    def kill(self) -> None:
        """End all tasks where they wait."""
        self.is_alive = False
        for task in list(self._tasks):
            task.throw(GreenletExit)

    def _enter(self, task: greenlet) -> None:
        if not self.is_alive or task.dead:
            return
        if self.world.now < self.stopped_until:
            self.world.at(self.stopped_until - self.world.now, self._enter, task)
        else:
            task.switch()

    @staticmethod
    def _main() -> greenlet:
        here = getcurrent()
        while here.parent is not None:
            here = here.parent
        return here
