"""The writer of uses over a real SQLite file: one write for many uses, failures, deletions meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from gatepass.connect import UseWriter
from gatepass.errors import Unavailable
from gatepass.interfaces import Transaction
from gatepass.model.token import Token
from gatepass.model.use import DayCount, day_of
from gatepass.model.verdict import Reason
from gatepass.services.revoke_token import revoke_token
from gatepass.stores.sql import sqlite
from gatepass.stores.sql.sqlite import SqliteStore
from gatepass.testing.fakes import START, FakeClock, acting, add_person, make_deps
from gatepass.testing.records import keep_tokens, make_token
from gatepass.verifier.uses import PACE

TODAY = day_of(START)


class World:
    """A database with one person and a writer of uses whose writes are counted."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore.create(path)
        self.path = path
        self.clock = FakeClock()
        self.deps = make_deps(self.store, clock=self.clock)
        self.maria = add_person(self.deps, "maria@example.com")
        self.writer = UseWriter(self.store, lambda: self.clock.now().timestamp())

    def token(self) -> Token:
        made = make_token(self.maria)
        keep_tokens(self.store, made)
        return made

    def find(self, token: Token) -> Token:
        with self.store.read() as tx:
            found = tx.tokens.find(token.id)
        assert found is not None
        return found

    def days(self, *tokens: Token) -> list[DayCount]:
        with self.store.read() as tx:
            return list(tx.uses.list_days([token.id for token in tokens], 0))

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Note every statement of the writing connection."""
        heard: list[str] = []
        writer = self.store._writer
        assert writer is not None
        writer.raw.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: heard.append(event["sql"]))
        yield heard
        writer.raw.trace_v2(0, None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "gatepass.db")
    yield made
    made.store.close()


def in_threads(number: int, work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def over_and_over(*works: Callable[[], None]) -> Iterator[None]:
    """Do things again and again in threads of their own until the block is left."""
    over = threading.Event()

    def go_on(work: Callable[[], None]) -> None:
        while not over.is_set():
            work()

    threads = [threading.Thread(target=go_on, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_256_threads_on_one_token_are_one_row_written_and_no_count_lost(world: World) -> None:
    token = world.token()

    def use() -> None:
        for _ in range(50):
            world.writer.record(token.id)

    in_threads(256, use)
    with world.listening() as statements:
        world.writer.flush()
    assert [each.split()[0] for each in statements] == ["BEGIN", "UPDATE", "INSERT", "COMMIT"]
    assert world.days(token) == [DayCount(token.id, TODAY, None, 256 * 50)]


def test_a_token_used_all_the_time_is_written_twice_a_minute(world: World) -> None:
    token = world.token()
    with world.listening() as statements:
        for _ in range(60):
            world.writer.record(token.id)
            world.writer.flush()
            world.clock.advance(seconds=1)
        writes = len([each for each in statements if each.startswith("UPDATE")])
    assert writes == 3
    assert world.clock.now() - world.find(token).last_used_at <= timedelta(minutes=1)
    world.writer.flush(everything=True)
    assert world.days(token) == [DayCount(token.id, TODAY, None, 60)]


def test_nothing_is_written_when_nothing_was_used(world: World) -> None:
    with world.listening() as statements:
        world.writer.flush()
        world.writer.flush(everything=True)
    assert statements == []


def test_what_a_busy_store_did_not_take_is_written_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "LOCK_SECONDS", 0.05)
    token = world.token()
    world.writer.record(token.id)
    world.writer.refused(token.id, Reason.NETWORK)
    with world.store.write():
        failures: list[Unavailable] = []

        def flush() -> None:
            with pytest.raises(Unavailable) as caught:
                world.writer.flush()
            failures.append(caught.value)

        in_threads(1, flush)
        assert failures
    world.writer.record(token.id)
    world.writer.flush()
    assert set(world.days(token)) == {
        DayCount(token.id, TODAY, None, 2),
        DayCount(token.id, TODAY, Reason.NETWORK, 1),
    }
    assert world.find(token).last_used_at == START


def test_a_write_that_fails_half_way_counts_nothing_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    token = world.token()
    world.writer.record(token.id)
    right = world.store.write

    @contextmanager
    def breaking() -> Iterator[Transaction]:
        with right() as tx:
            yield tx
            raise Unavailable("the disk is full")

    monkeypatch.setattr(world.store, "write", breaking)
    with pytest.raises(Unavailable):
        world.writer.flush()
    monkeypatch.setattr(world.store, "write", right)
    assert world.days(token) == []
    world.writer.flush()
    assert world.days(token) == [DayCount(token.id, TODAY, None, 1)]


def test_no_use_undoes_a_deletion_whenever_it_is_written(world: World) -> None:
    tokens = [world.token() for _ in range(25)]

    def use() -> None:
        for token in tokens:
            world.writer.record(token.id)

    with over_and_over(use, use, lambda: world.writer.flush(everything=True)):
        for token in tokens:
            world.clock.advance(milliseconds=10)
            revoke_token(world.deps, acting(world.maria), token.id)
    deleted = [world.find(token) for token in tokens]
    world.clock.advance(seconds=1)
    use()
    world.writer.flush(everything=True)
    assert [world.find(token) for token in tokens] == deleted
    for token in deleted:
        assert (token.mac, token.revoked_at is None) == (b"", False)
        assert token.last_used_at is None or token.last_used_at <= token.revoked_at


def test_what_is_no_known_token_fills_no_memory(world: World) -> None:
    for reason in (Reason.MALFORMED, Reason.UNKNOWN):
        world.writer.refused(None, reason)
    assert world.writer.counter.waiting() == 0


def test_uses_of_a_pruned_token_are_dropped(world: World) -> None:
    token, other = world.token(), world.token()
    for each in (token, other):
        world.writer.record(each.id)
    with world.store.write() as tx:
        tx.tokens.revoke(token.id, START)
        assert tx.tokens.prune(START + timedelta(seconds=1), limit=9) == 1
    world.writer.flush()
    assert world.days(token, other) == [DayCount(other.id, TODAY, None, 1)]


def test_the_pace_leaves_last_used_true_to_the_minute() -> None:
    assert PACE + 5 < 60
