"""A server node: answers verifiers by the store, never from memory, and clients by the product's own verifier.

Its own verifier follows the store by the product's lease and follower, as a remote one follows a server.
What it acknowledges counts in it before the answer is given: so here the bound is zero.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from gatepass.errors import Unavailable
from gatepass.interfaces import ChangeSource, Fetched, Followed
from gatepass.model.instant import from_milliseconds
from gatepass.model.presented import PresentedToken
from gatepass.model.registered_verifier import RegisteredVerifier
from gatepass.server.followers import Followers, Receipt
from gatepass.server.parsing import parse_json
from gatepass.server.verifiers import shapes
from gatepass.services.follow_changes import Progress
from gatepass.verifier.follower import POLLS_A_BOUND, Follower, Poller
from gatepass.verifier.lease import Lease
from gatepass.verifier.verifier import Verifier
from simulation.machine import Machine
from simulation.network import OK, UNAVAILABLE, Network
from simulation.store import BOUND, Row, Store, Work, create
from simulation.world import Box

STORE = "store"
STORE_SECONDS = 1.5
_TRIES = 4
PATIENCE = BOUND + 2
VERIFIER = RegisteredVerifier(UUID(int=1), "simulated", b"", 1, datetime(2026, 1, 1, tzinfo=UTC))


class Link:
    """The way from a server to the store. Whatever is late there is an outage."""

    def __init__(self, network: Network, machine: Machine, store: Store) -> None:
        self._network, self._machine, self.store = network, machine, store

    def call(self, do: Callable[[], Any], *, seconds: float = STORE_SECONDS) -> Any:
        """Do something in the store. It may be done, or be done later, although nothing came back."""
        return self.ask(lambda reply: reply(do()), seconds=seconds)

    def ask(self, do: Callable[[Callable[[Any], None]], None], *, seconds: float) -> Any:
        here, answer = self._machine.name, Box()

        def arrive() -> None:
            if not self.store.is_down:
                do(lambda value: self._network.send(STORE, here, answer.put, value))

        self._network.send(here, STORE, arrive)
        try:
            return self._machine.process.wait(answer, seconds)
        except TimeoutError:
            raise Unavailable("the store does not answer") from None


class StoreSide:
    """Verdicts and changes straight from the store: the sources of a server's own verifier."""

    def __init__(self, link: Link, follower: Follower) -> None:
        self._link, self._follower = link, follower
        self.heard: Callable[[], None] = lambda: None

    def peek(self, _: PresentedToken) -> None:
        return None

    def fetch(self, presented: Sequence[PresentedToken]) -> Fetched:
        life = self._follower.life
        found = self._link.call(lambda: self._link.store.judge(presented))
        return Fetched(found.verdicts, self._follower.number_of(found.epoch, found.revision, life=life))

    def follow(self, after: int, epoch: str, *, wait: float) -> Followed:
        store = self._link.store

        def poll(reply: Callable[[Any], None]) -> None:
            found = store.follow(after, epoch)
            if (found.epoch, found.head) != (epoch, after):
                reply(found)
                return
            later = Box()
            later.waiting = lambda: reply(store.follow(after, epoch))
            store.when_changed(later.put)
            store.world.at(wait, later.put)

        found = self._link.ask(poll, seconds=wait + STORE_SECONDS)
        if (found.epoch, found.head) != (epoch, after):
            self.heard()
        return found


class Never:
    """A closing that does not come: a process ends by being killed."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float) -> bool:
        self._machine.process.rest(timeout)
        return False


def poll(machine: Machine, follower: Follower, source: ChangeSource) -> None:
    """Let a task keep a follower up to date, as `Following` lets a thread."""
    poller = Poller(follower, source, Never(machine))

    def polled() -> None:
        # The loop of the product outlives whatever fails in it. Here nothing may but the source.
        if str(poller.trouble).startswith("following failed"):
            raise RuntimeError(str(poller.trouble))

    machine.process.spawn(poller.run, polled)


class Server:
    """One server process after another, on one machine."""

    def __init__(self, network: Network, machine: Machine, store: Store) -> None:
        self.network, self.machine = network, machine
        self.link = Link(network, machine, store)
        machine.started.append(self.start)

    def start(self) -> None:
        self.lease = Lease(self.machine.clock())
        self.follower = Follower(self.lease)
        side = StoreSide(self.link, self.follower)
        self.verifier = Verifier(side, self.follower, now=self.machine.wall)
        self.followers = Followers(self.machine.boot, unknown_seconds=BOUND)
        self._waiting: list[Box] = []
        side.heard = self._wake
        self._side = side
        poll(self.machine, self.follower, side)

    def create(self, token: UUID, row: Row) -> tuple[int, int] | None:
        """Create a token, as `change` does."""
        return self.change(create(token, row))

    def change(self, work: Work) -> tuple[int, int] | None:
        """Commit a change, let it count here, and return its epoch and revision.

        None if it was refused. Raises Unavailable: perhaps it is done.
        """
        done = self.commit(work)
        if done is not None:
            self._wake()
            self._count(*done)
        return done

    def commit(self, work: Work) -> tuple[int, int] | None:
        return self.link.call(lambda: self.link.store.write(work))

    def _count(self, epoch: int, revision: int) -> None:
        """Return when this process has heard of the revision. Another task's question may overtake this one's."""
        for _ in range(_TRIES):
            number = self.follower.number_of(str(epoch), revision)
            if number is not None and self.lease[1] >= number:
                return
            question = self.follower.question()
            self.follower.take(question, self._side.follow(question.after, question.epoch, wait=0))
        raise Unavailable("this process does not get to hear of its own change")

    def wait_for_receipt(self, epoch: int, revision: int) -> bool:
        """Tell whether every verifier that follows here has come to refuse what was just ended, before PATIENCE ends."""
        made_at = self.followers.now()
        until = self.machine.world.now + PATIENCE
        while self.machine.world.now < until:
            if self._receipt(str(epoch), revision, made_at).is_complete:
                return True
            self.machine.process.rest(0.05)
        return False

    def _receipt(self, epoch: str, revision: int, made_at: float) -> Receipt:
        """Look at the product's receipt as it is now, without waiting: so it needs no event loop."""
        receipt = self.followers.receipt(epoch, revision, bound=BOUND, made_at=made_at, seconds=0)
        try:
            receipt.send(None)
        except StopIteration as done:
            return done.value
        raise RuntimeError("a receipt waited")

    def receive(self, life: int, path: str, body: bytes, reply: Callable[[Any], None]) -> None:
        """Take a request that arrived on a connection of one life."""
        if life != self.machine.lives:
            reply(ConnectionResetError())
            return
        self.machine.process.spawn(self._handle, path.rpartition("/")[2], body, reply)

    def _handle(self, name: str, body: bytes, reply: Callable[[Any], None]) -> None:
        try:
            answer = self._follow(body) if name == "follow" else self._judge(body)
        except Unavailable:
            reply((UNAVAILABLE, b""))
        else:
            reply((OK, msgspec.json.encode(answer)))

    def _follow(self, raw: bytes) -> shapes.FollowReply:
        """Answer a poll as the route of the product does."""
        body = parse_json(raw, shapes.FollowBody)
        self.followers.hear(VERIFIER, body.instance, epoch=body.epoch, acknowledged=body.after, bound=BOUND)
        moved = Box()
        self._waiting.append(moved)
        found = self.read(body.after, body.epoch)
        if (found.epoch, found.head) == (body.epoch, body.after):
            with suppress(TimeoutError):
                self.machine.process.wait(moved, min(body.wait, BOUND / POLLS_A_BOUND))
            found = self.read(body.after, body.epoch)
        now = from_milliseconds(round(self.machine.wall() * 1000))
        return shapes.progress_of(Progress(found.epoch, found.head, found.changes), BOUND, now)

    def read(self, after: int, epoch: str) -> Followed:
        """Read what changed. It must begin after the poll came in."""
        return self.link.call(lambda: self.link.store.follow(after, epoch))

    def _judge(self, raw: bytes) -> shapes.LookUpReply:
        presented = shapes.presented_in(parse_json(raw, shapes.LookUpBody))
        return shapes.judged(self.link.call(lambda: self.link.store.judge(presented)))

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.put()
