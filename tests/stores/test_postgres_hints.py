"""Hints of changes: for each change, after each reconnection, and none behind PgBouncer."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from gatepass.model.change import ChangeKind
from gatepass.stores.sql import notify
from gatepass.stores.sql.notify import HintListener
from gatepass.stores.sql.postgres import PostgresStore
from gatepass.testing.change_suite import ChangeSuite
from gatepass.testing.token_suite import TokenSuite
from gatepass.testing.transaction_suite import ConcurrencySuite, TransactionSuite
from support.postgres import PgBouncer, PostgresServer, database_of, emptied
from support.waiting import poll

pytestmark = pytest.mark.xdist_group("postgres")


class Listening:
    """A listener, and what it said."""

    def __init__(self, url: str) -> None:
        self.hints = 0
        self.trouble: list[str] = []
        self._listener = HintListener(url, self._heard, report=self.trouble.append)

    def _heard(self) -> None:
        self.hints += 1

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def bouncer(postgres: PostgresServer) -> Iterator[PgBouncer]:
    with closing(PgBouncer(postgres)) as running:
        yield running


@contextmanager
def listening(url: str) -> Iterator[Listening]:
    with closing(Listening(url)) as listener:
        poll(lambda: listener.hints or listener.trouble)
        yield listener


def change(url: str) -> None:
    with closing(PostgresStore(url)) as store, store.write() as tx:
        tx.changes.add(ChangeKind.EVERYTHING)


def test_each_change_is_hinted_at(url: str) -> None:
    with listening(url) as heard:
        assert heard.hints == 1  # it may have missed what came before
        change(url)
        poll(lambda: heard.hints == 2)
        change(url)
        poll(lambda: heard.hints == 3)


def test_after_a_reconnection_there_is_a_hint_as_something_may_have_been_missed(
    postgres: PostgresServer, url: str
) -> None:
    with listening(url) as heard:
        postgres.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database_of(url)}'"
        )
        poll(lambda: heard.hints == 2)
        change(url)
        poll(lambda: heard.hints == 3)
        assert heard.trouble


def test_while_nothing_happens_it_keeps_its_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "_TURN_SECONDS", 0.02)
    with listening(url) as heard:
        time.sleep(0.5)
        assert (heard.hints, heard.trouble) == (1, [])


def test_behind_pgbouncer_there_are_no_hints_and_that_is_said(bouncer: PgBouncer, url: str) -> None:
    with listening(bouncer.url(database_of(url))) as heard:
        assert heard.hints == 0
        assert "leads to a pooler" in heard.trouble[0]


@pytest.fixture(scope="module")
def opened(bouncer: PgBouncer, url: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(bouncer.url(database_of(url)))) as store:
        yield store


class TestBehindPgBouncer(TransactionSuite, ConcurrencySuite, ChangeSuite, TokenSuite):
    """In transaction mode: each transaction may meet another session."""

    @pytest.fixture
    def store(self, opened: PostgresStore) -> PostgresStore:
        assert opened.behind_pooler
        return emptied(opened)
