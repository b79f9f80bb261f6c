"""What two servers on one database do at the same moment: the second one acts upon what the first one did.

Each test holds the first one back just before it commits, until the second one waits for it. Without
the lock that `write` begins with, the second one has then read what is about to be untrue.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import pytest

from gatepass.errors import Conflict, GatepassError, InvalidInput, NotAuthenticated
from gatepass.interfaces import Page, Transaction
from gatepass.model.actor import CONSOLE
from gatepass.model.secret import Secret
from gatepass.model.use import UseCount, Uses, hour_of
from gatepass.model.user import User
from gatepass.services.change_settings import change_settings
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_token import create_token
from gatepass.services.deps import Deps
from gatepass.services.record_token_use import record_token_use
from gatepass.services.retry import Retry
from gatepass.services.sign_in import sign_in
from gatepass.stores.sql.postgres import PostgresStore
from gatepass.stores.sql.postgres_schema import initialising
from gatepass.testing.fakes import PASSWORD, START, acting, add_person, make_deps
from gatepass.testing.records import keep_tokens, make_token
from support.postgres import PostgresServer, database_of, emptied
from support.waiting import poll

pytestmark = pytest.mark.xdist_group("postgres")


class SlowStore(PostgresStore):
    """Holds its next commit back until it is told to go on."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.is_slow = False
        self.is_there, self.go_on = threading.Event(), threading.Event()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with super().write() as tx:
            yield tx
            if self.is_slow:
                self.is_there.set()
                self.go_on.wait(10)


@dataclass
class Servers:
    """Two of them on one database, and who is in it."""

    postgres: PostgresServer
    name: str
    first: Deps
    second: Deps
    admin: User
    other: User
    maria: User

    def race(self, first: Callable[[], object], second: Callable[[], object]) -> GatepassError | None:
        """Run `first` up to its commit, let `second` begin, commit; return what the second one raised."""
        slow: SlowStore = self.first.store
        slow.is_slow = True
        raised: list[GatepassError] = []

        def attempt() -> None:
            try:
                second()
            except GatepassError as error:
                raised.append(error)

        threads = [threading.Thread(target=first), threading.Thread(target=attempt)]
        threads[0].start()
        assert slow.is_there.wait(10)
        threads[1].start()
        poll(lambda: self.is_anybody_waiting() or not threads[1].is_alive())
        slow.go_on.set()
        for thread in threads:
            thread.join()
        return raised[0] if raised else None

    def is_anybody_waiting(self) -> bool:
        waiting = self.postgres.execute(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()", self.name
        )
        return bool(waiting)

    def tokens(self) -> int:
        with self.second.store.read() as tx:
            return len(tx.tokens.list(self.maria.id, Page(limit=10), now=START))


@pytest.fixture
def servers(postgres: PostgresServer, url: str) -> Iterator[Servers]:
    with closing(SlowStore(url)) as one, closing(PostgresStore(url)) as two:
        first = make_deps(emptied(one))
        second = replace(first, store=two)
        admin, other = (add_person(first, f"{name}@example.com", is_admin=True) for name in ("admin", "other"))
        maria = add_person(first, "maria@example.com", is_admin=True)
        change_user(first, acting(admin), maria.id, UserChanges(is_admin=False))
        change_settings(first, CONSOLE, {"apiAccessTokens.usersMayGenerate": True})
        yield Servers(postgres, database_of(url), first, second, admin, other, maria)


def disable(servers: Servers) -> None:
    change_user(servers.first, acting(servers.admin), servers.maria.id, UserChanges(is_disabled=True))


def test_whoever_is_being_disabled_makes_no_token(servers: Servers) -> None:
    raised = servers.race(
        lambda: disable(servers), lambda: create_token(servers.second, acting(servers.maria), lifetime_seconds=60)
    )
    assert (type(raised), servers.tokens()) == (NotAuthenticated, 0)


def test_whoever_is_being_disabled_starts_no_session(servers: Servers) -> None:
    def enter() -> None:
        sign_in(servers.second, email=servers.maria.email, password=Secret(PASSWORD))

    enter()
    assert type(servers.race(lambda: disable(servers), enter)) is NotAuthenticated
    with servers.second.store.read() as tx:
        assert tx.sessions.list(servers.maria.id) == []


def test_of_the_last_two_administrators_one_stays(servers: Servers) -> None:
    def step_down(deps: Deps, admin: User) -> None:
        change_user(deps, acting(admin), admin.id, UserChanges(is_admin=False))

    raised = servers.race(
        lambda: step_down(servers.first, servers.admin), lambda: step_down(servers.second, servers.other)
    )
    with servers.second.store.read() as tx:
        assert tx.users.counts().live_admins == 1
    assert type(raised) is Conflict


def test_a_limit_on_lifetimes_holds_for_the_next_token(servers: Servers) -> None:
    raised = servers.race(
        lambda: change_settings(servers.first, CONSOLE, {"apiAccessTokens.maximumLifetimeDays": 1}),
        lambda: create_token(servers.second, acting(servers.maria), lifetime_seconds=10 * 86_400),
    )
    assert (isinstance(raised, InvalidInput), servers.tokens()) == (True, 0)


def test_a_repeated_request_on_another_server_makes_one_token(servers: Servers) -> None:
    made = []

    def create(deps: Deps) -> None:
        made.append(create_token(deps, acting(servers.maria), lifetime_seconds=60, retry=Retry("a key", b"body")))

    raised = servers.race(lambda: create(servers.first), lambda: create(servers.second))
    assert (raised, servers.tokens(), len({each.value.reveal() for each in made})) == (None, 1, 1)


def test_two_with_one_address_are_not_both_added(servers: Servers) -> None:
    raised = servers.race(
        lambda: add_person(servers.first, "new@example.com"), lambda: add_person(servers.second, "NEW@example.com")
    )
    assert type(raised) is Conflict


def test_uses_are_written_beside_a_change_that_is_under_way(servers: Servers) -> None:
    token, busy = make_token(servers.maria), make_token(servers.maria)
    keep_tokens(servers.second.store, token, busy)
    uses = Uses({token.id: START}, [UseCount(token.id, hour_of(START), None, 3)])
    with servers.second.store.write() as tx:
        tx.tokens.revoke(busy.id, START)
        record_token_use(servers.second.store, uses)
    with servers.second.store.write_uses() as tx:
        tx.uses.add(uses.counts)
        change_settings(servers.second, CONSOLE, {"tokens.retentionDays": 7})
    with servers.second.store.read() as tx:
        assert [each.count for each in tx.uses.list_days([token.id], 0)] == [6]


def test_of_two_inits_one_makes_the_installation(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    with initialising(url), pytest.raises(Conflict, match="somebody else"), initialising(url):
        pass
    with initialising(url), closing(PostgresStore(url)) as store:
        add_person(make_deps(store), "admin@example.com", is_admin=True)
    with pytest.raises(Conflict, match="holds an installation already"), initialising(url):
        pass
