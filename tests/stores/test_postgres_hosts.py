"""Several hosts in the URL: whom new connections ask first, and what becomes of those to a primary that was deposed.

That one lives on here, and stands before the new one in the URL.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from gatepass.errors import Unavailable
from gatepass.followed import FollowedStore
from gatepass.interfaces import Store
from gatepass.model.change import ChangeKind
from gatepass.stores.sql.hosts import Hosts
from gatepass.stores.sql.notify import HintListener
from gatepass.stores.sql.postgres import PostgresStore
from support.line import Lines
from support.postgres import USER, PostgresPair, PostgresServer, database_of, make_database
from support.waiting import poll

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture
def pair() -> Iterator[PostgresPair]:
    with closing(PostgresPair()) as made:
        yield made


@pytest.fixture
def both(pair: PostgresPair) -> str:
    """The URL of a database on both of the pair, the primary first."""
    database = database_of(make_database(pair.primary))
    return f"postgresql://{USER}@/{database}?host={pair.primary.folder},{pair.standby.folder}"


def change(store: Store) -> None:
    with store.write() as tx:
        tx.changes.add(ChangeKind.EVERYTHING)


@contextmanager
def deposed_under(pair: PostgresPair, url: str) -> Iterator[PostgresStore]:
    """Open a store that has connections of both kinds to a primary, of which it learns that it confirms nothing."""
    with closing(PostgresStore(url)) as store:
        change(store)
        store.head()
        pair.standby.promote()
        with pytest.raises(Unavailable):
            change(store)
        yield store


def test_where_a_commit_is_not_confirmed_the_next_one_is_made_at_another_host(pair: PostgresPair, both: str) -> None:
    with deposed_under(pair, both) as store:
        change(store)


def test_look_ups_leave_a_host_that_did_not_confirm_a_commit(pair: PostgresPair, both: str) -> None:
    with deposed_under(pair, both) as store, closing(PostgresStore(both)) as anew:
        change(anew)
        assert store.head() == anew.head()


def test_who_listens_leaves_a_host_that_did_not_confirm_a_commit(pair: PostgresPair, both: str) -> None:
    heard = threading.Event()
    with closing(HintListener(both, heard.set)), deposed_under(pair, both) as store:
        poll(lambda: hears(store, heard))


def hears(store: PostgresStore, heard: threading.Event) -> bool:
    heard.clear()
    change(store)
    return heard.wait(0.1)


def test_a_server_over_a_deposed_primary_comes_to_the_new_one_by_itself(pair: PostgresPair, both: str) -> None:
    store = FollowedStore(PostgresStore(both), listen=lambda heard: HintListener(both, heard))
    with closing(store):
        change(store)
        pair.standby.promote()
        poll(lambda: is_well(store), seconds=20)


def is_well(store: Store) -> bool:
    with suppress(Unavailable):
        change(store)
        store.check()
        return True
    return False


def test_a_host_that_does_not_do_is_asked_once(postgres: PostgresServer, url: str) -> None:
    with counting() as (port, asked), Lines() as lines:
        hosts = f"127.0.0.1:{port},127.0.0.1:{lines.to(postgres.socket).port}"
        place = f"postgresql://{USER}@{hosts}/{database_of(url)}?sslmode=disable&gssencmode=disable"
        with closing(PostgresStore(place)) as store:
            store.head()
            change(store)
    assert len(asked) == 1


@contextmanager
def counting() -> Iterator[tuple[int, list[object]]]:
    """Listen at a port and take nobody; note who came."""
    asked: list[object] = []

    def take() -> None:
        with suppress(OSError):
            while True:
                came, address = listener.accept()
                came.close()
                asked.append(address)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield listener.getsockname()[1], asked
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    ("given", "apart"),
    [
        ({}, [{}]),
        ({"host": "a"}, [{"host": "a"}]),
        ({"host": "a,b", "port": "1"}, [{"host": "a", "port": "1"}, {"host": "b", "port": "1"}]),
        ({"host": "a,b", "port": "1,2"}, [{"host": "a", "port": "1"}, {"host": "b", "port": "2"}]),
        ({"host": "a,b,c", "port": "1,2"}, [{"host": "a,b,c", "port": "1,2"}]),
        ({"hostaddr": "1.1.1.1,1.1.1.2"}, [{"hostaddr": "1.1.1.1"}, {"hostaddr": "1.1.1.2"}]),
        (
            {"host": "a,b", "hostaddr": "1.1.1.1,1.1.1.2", "user": "c"},
            [{"host": "a", "hostaddr": "1.1.1.1", "user": "c"}, {"host": "b", "hostaddr": "1.1.1.2", "user": "c"}],
        ),
    ],
)
def test_the_hosts_of_a_url_are_told_apart_as_libpq_does(given: dict[str, str], apart: list[dict[str, str]]) -> None:
    assert Hosts(given)._order == apart
