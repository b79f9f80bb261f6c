"""Servers that share a database know of each other's followers, and claim nothing that they cannot know."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TypeVar
from uuid import UUID

import pytest

from gatepass.errors import Unavailable
from gatepass.model.actor import Actor, Credential
from gatepass.model.registered_verifier import RegisteredVerifier
from gatepass.model.settings import Settings
from gatepass.server import roll as module
from gatepass.server.followers import Followers, Receipt
from gatepass.server.roll import Roll
from gatepass.server.verifiers import routes
from gatepass.server.verifiers.shapes import FollowBody
from gatepass.services.follow_changes import Progress
from gatepass.stores.memory.store import MemoryStore
from gatepass.testing.fakes import make_deps

BOUND = 5.0
ORDERS = RegisteredVerifier(UUID(int=1), "orders", b"mac", 1, datetime(2026, 1, 1, tzinfo=UTC))
T = TypeVar("T")


class Shared(MemoryStore):
    """A store that other servers have too."""

    answers_inline = False

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.writes = 0

    def read(self):
        if self.is_away:
            raise Unavailable("the database is away")
        return super().read()

    def write(self):
        self.writes += 1
        return super().write()


class Node:
    """A server with its followers, at a time that a test moves by hand."""

    def __init__(self, store: MemoryStore, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        self.name = name
        self._patch = monkeypatch
        self.followers = Followers(lambda: self.now, unknown_seconds=0)
        self.roll = Roll(store, self.followers, self._run)

    async def _run(self, work: Callable[[], T]) -> T:
        return work()

    def do(self, work: Callable[[], Awaitable[T]]) -> T:
        self._patch.setattr(module, "this_process", lambda: self.name)

        async def run() -> T:
            return await work()

        return asyncio.run(run())

    async def hear(self, instance: str, acknowledged: int) -> None:
        heard = self.followers.hear(ORDERS, instance, epoch="e", acknowledged=acknowledged, bound=BOUND)
        await self.roll.sign(heard)

    def receipt(self, revision: int, *, seconds: float = 0) -> Receipt:
        async def wait() -> Receipt:
            made_at = self.followers.now()
            async with self.roll.watched(doubt=BOUND):
                return await self.followers.receipt("e", revision, bound=BOUND, made_at=made_at, seconds=seconds)

        return self.do(wait)


@pytest.fixture
def store() -> Shared:
    return Shared()


@pytest.fixture
def nodes(store: Shared, monkeypatch: pytest.MonkeyPatch) -> tuple[Node, Node]:
    return Node(store, "one", monkeypatch), Node(store, "two", monkeypatch)


def test_a_receipt_counts_those_who_follow_at_another_server(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    one.do(lambda: one.hear("a", 7))
    two.do(lambda: two.hear("b", 6))
    found = one.receipt(7)
    assert (found.confirmed, found.of, found.is_complete) == (1, 2, False)
    two.do(lambda: two.hear("b", 7))
    assert one.receipt(7).is_complete


def test_a_lease_given_elsewhere_is_over_a_bound_after_it_was_read_of_and_not_before(
    nodes: tuple[Node, Node],
) -> None:
    one, two = nodes
    two.do(lambda: two.hear("b", 6))
    one.receipt(6)
    one.now += BOUND - 0.1
    assert one.receipt(7).of == 1
    one.now += 0.2
    assert one.receipt(7).of == 0


def test_whoever_left_elsewhere_is_not_waited_for(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    two.do(lambda: two.hear("b", 6))
    assert one.receipt(7).of == 1
    two.do(lambda: two.roll.leave(ORDERS.id, "b"))
    assert one.receipt(7).of == 0


def test_where_the_list_cannot_be_read_a_receipt_says_that_there_may_be_others(
    nodes: tuple[Node, Node], store: Shared
) -> None:
    store.is_away = True
    found = nodes[0].receipt(7)
    assert (found.unknown, found.is_complete) == (BOUND, False)


def test_those_who_ask_at_the_same_time_share_a_write(nodes: tuple[Node, Node], store: Shared) -> None:
    one, _ = nodes

    async def all_at_once() -> None:
        await asyncio.gather(*(one.hear(f"i{number}", 1) for number in range(50)))

    one.do(all_at_once)
    assert len(store.followers.list()) == 50
    assert store.writes <= 2


def test_a_poll_fails_where_it_could_not_be_written_down(nodes: tuple[Node, Node], store: Shared) -> None:
    def away() -> None:
        raise Unavailable("the database is away")

    store.write = away
    with pytest.raises(Unavailable):
        nodes[0].do(lambda: nodes[0].hear("a", 1))


def test_a_server_with_a_store_of_its_own_writes_nothing_down(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    node = Node(store, "one", monkeypatch)
    node.do(lambda: node.hear("a", 1))
    assert node.receipt(1).of == 1
    assert list(store.followers.list()) == []


def test_what_was_written_down_here_does_not_overrule_what_is_known_here(nodes: tuple[Node, Node]) -> None:
    one, _ = nodes
    one.do(lambda: one.hear("a", 6))
    one.followers.hear(ORDERS, "a", epoch="e", acknowledged=7, bound=BOUND)  # not written down yet
    assert one.receipt(7).confirmed == 1


def test_a_poll_that_was_written_down_in_another_database_than_it_is_answered_from_gives_no_lease(
    store: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(store, "one", monkeypatch)
    watch = SimpleNamespace(seen=lambda: 0)
    context = SimpleNamespace(followers=node.followers, roll=node.roll, watch=watch, deps=make_deps(store))
    body = FollowBody(instance="a", after=3, epoch="", wait=1.0, grace=0)
    call = routes.Call(context, ORDERS, Actor(Credential.VERIFIER), body, Settings())

    def follow(epoch: str) -> float:
        async def read(_: routes.Call) -> Progress:
            return Progress(epoch, 3, [])

        monkeypatch.setattr(routes, "_read", read)
        return node.do(lambda: routes.follow(call)).bound

    assert follow(store.changes.epoch()) == BOUND
    with pytest.raises(Unavailable, match="same database"):
        follow("of one that was deposed")
