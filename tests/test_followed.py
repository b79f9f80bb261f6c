"""A store that is followed: memory holds for the lease, and what this process changes counts when the call returns."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from gatepass.connect import StoreSource
from gatepass.errors import Gone, NotFound, Unavailable
from gatepass.followed import FollowedStore, StoreChanges, this_process
from gatepass.interfaces import Head, Verifications
from gatepass.model.change import ChangeKind
from gatepass.model.secret import Secret
from gatepass.model.token import Token
from gatepass.model.user import User
from gatepass.model.verdict import Accepted, Reason
from gatepass.services.create_token import create_token
from gatepass.services.deps import Deps
from gatepass.services.revoke_token import revoke_token
from gatepass.stores.memory.store import MemoryStore
from gatepass.testing.fakes import acting, add_person, make_deps
from gatepass.verifier.verifier import Verifier
from support.waiting import poll


class Database(MemoryStore):
    """A store that blocks and can be away, as a database on another host is."""

    answers_inline = False

    def __init__(self) -> None:
        super().__init__()
        self.is_away = self.is_deposed = False
        self.reading: MemoryStore = self
        """Where connections lead that read."""

    def write_uses(self):
        if self.is_deposed:
            raise Unavailable("it is not known whether the standby has this")
        return super().write_uses()

    def find_verifications(self, token_ids):
        self.check()
        with self._lock:
            found = super().find_verifications(token_ids).found
            return Verifications(found, Head(self.reading.changes.head(), self.reading.changes.epoch()))

    def read(self):
        self.check()
        return super().read() if self.reading is self else self.reading.read()

    def check(self) -> None:
        if self.is_away:
            raise Unavailable("the database is away")


class Deaf:
    """Hints that never come unless a test gives them."""

    is_deaf = False

    def __init__(self, heard: Callable[[], None]) -> None:
        self.hint = heard

    def close(self) -> None:
        """End nothing."""


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def store(database: Database) -> Iterator[FollowedStore]:
    with closing(FollowedStore(database, listen=Deaf)) as made:
        yield made


@pytest.fixture
def deps(store: FollowedStore) -> Deps:
    return make_deps(store)


@pytest.fixture
def owner(deps: Deps) -> User:
    return add_person(deps, "owner@example.com", is_admin=True)


@pytest.fixture
def verifier(deps: Deps) -> Verifier:
    return Verifier(StoreSource(deps.store, deps.keyring), deps.store, now=lambda: deps.clock.now().timestamp())


def new_token(deps: Deps, owner: User) -> tuple[Secret, Token]:
    with deps.store.write() as tx:
        tx.settings.save(tx.settings.load().changed({"apiAccessTokens.enabled": True}))
    made = create_token(deps, acting(owner), lifetime_seconds=3600)
    return made.value, made.token


def test_it_is_remembered_while_the_lease_lasts(
    database: Database, store: FollowedStore, deps: Deps, owner: User, verifier: Verifier
) -> None:
    secret, _ = new_token(deps, owner)
    poll(lambda: store.lease.is_fresh)
    assert isinstance(verifier.verify(secret.reveal()), Accepted)
    database.is_away = True
    assert isinstance(verifier.verify(secret.reveal()), Accepted)
    store.lease.end()
    with pytest.raises(Unavailable):
        verifier.verify(secret.reveal())


def test_what_this_process_deletes_is_refused_when_the_call_returns_whatever_the_feed_does(
    database: Database, store: FollowedStore, deps: Deps, owner: User, verifier: Verifier
) -> None:
    secret, token = new_token(deps, owner)
    poll(lambda: store.lease.is_fresh)
    assert isinstance(verifier.verify(secret.reveal()), Accepted)
    # No hint comes, so the poll under way brings nothing before a fifth of the bound is over.
    revoke_token(deps, acting(owner), token.id)
    assert store.lease.is_fresh
    assert verifier.verify(secret.reveal()).reason is Reason.DELETED


def test_a_change_of_another_server_counts_when_it_is_heard_of(
    database: Database, store: FollowedStore, deps: Deps, owner: User, verifier: Verifier
) -> None:
    secret, token = new_token(deps, owner)
    poll(lambda: store.lease.is_fresh)
    assert isinstance(verifier.verify(secret.reveal()), Accepted)
    with database.write() as tx:  # not through this process's store
        tx.tokens.revoke(token.id, deps.clock.now())
        tx.changes.add(ChangeKind.TOKEN, token.id)
    poll(lambda: not isinstance(verifier.verify(secret.reveal()), Accepted))


def test_whoever_is_to_get_a_lease_is_written_down_before_anything_is_read(database: Database) -> None:
    changes = StoreChanges(database, Deaf)
    seen: list[list[int]] = []
    reading = database.read

    def read():
        seen.append([each.acknowledged for each in database.followers.list()])
        return reading()

    database.read = read
    changes.follow(0, "", wait=0)
    changes.follow(7, database.changes.epoch(), wait=0)
    assert seen == [[], [0], [7]]  # the first only asks how long a lease is
    assert [each.server for each in database.followers.list()] == [this_process()]


def test_a_lease_that_got_longer_is_written_down_before_it_is_given(database: Database, deps: Deps) -> None:
    changes = StoreChanges(database, Deaf)
    with database.write() as tx:
        tx.settings.save(tx.settings.load().changed({"verifiers.boundSeconds": 9}))
    assert changes.follow(0, "", wait=0).bound == 9
    with database.write() as tx:
        tx.settings.save(tx.settings.load().changed({"verifiers.boundSeconds": 30}))
    assert [changes.follow(0, "", wait=0).bound for _ in range(2)] == [9, 30]
    assert [each.bound for each in database.followers.list() if each.instance == changes.instance] == [30]


def test_whoever_ends_says_so(database: Database) -> None:
    store = FollowedStore(database, listen=Deaf)
    poll(lambda: store.lease.is_fresh)
    store.close()
    assert [each.bound for each in database.followers.list()] == [0]
    assert not store.lease.is_fresh


def test_a_server_that_confirms_no_commit_is_believed_nothing_once_the_lease_is_over(
    database: Database, store: FollowedStore, deps: Deps, owner: User, verifier: Verifier
) -> None:
    secret, _ = new_token(deps, owner)
    assert isinstance(verifier.verify(secret.reveal()), Accepted)
    database.is_deposed = True
    store.lease.end()
    with pytest.raises(Unavailable):
        verifier.verify(secret.reveal())
    with pytest.raises(Unavailable), store.read() as tx:
        tx.settings.load()
    with pytest.raises(Unavailable):
        store.check()
    database.is_deposed = False
    poll(lambda: store.lease.is_fresh)
    assert isinstance(verifier.verify(secret.reveal()), Accepted)


def test_a_lease_that_is_over_for_no_reason_is_renewed_before_the_answer(
    store: FollowedStore, deps: Deps, owner: User, verifier: Verifier
) -> None:
    secret, _ = new_token(deps, owner)
    poll(lambda: store.lease.is_fresh)
    store.lease.end()  # as by a wall clock that was put forward
    assert isinstance(verifier.verify(secret.reveal()), Accepted)
    assert store.lease.is_fresh


def test_what_is_read_in_another_database_than_the_lease_is_of_counts_for_nothing(
    database: Database, store: FollowedStore, deps: Deps, owner: User, verifier: Verifier
) -> None:
    secret, _ = new_token(deps, owner)
    poll(lambda: store.lease.is_fresh)
    database.reading = MemoryStore()  # as after a standby was promoted, while old connections lead to who was deposed
    with pytest.raises(Unavailable):
        verifier.verify(secret.reveal())
    with pytest.raises(Unavailable), store.read() as tx:
        tx.settings.load()
    database.reading = database
    assert isinstance(verifier.verify(secret.reveal()), Accepted)


def test_what_is_read_in_another_database_than_who_asks_is_written_down_in_renews_no_lease(database: Database) -> None:
    changes = StoreChanges(database, Deaf)
    changes.follow(0, "", wait=0)
    database.reading = MemoryStore()
    with pytest.raises(Unavailable, match="same database"):
        changes.follow(0, "", wait=0)


@pytest.mark.parametrize("refusal", [NotFound("there is no such token"), Gone("the token was deleted")])
def test_what_a_server_refuses_that_confirms_no_commit_counts_for_nothing_either(
    refusal: Exception, database: Database, store: FollowedStore
) -> None:
    poll(lambda: store.lease.is_fresh)
    for use in (store.read, store.write):
        with pytest.raises(type(refusal)), use():
            raise refusal
    database.is_deposed = True
    store.lease.end()
    for use in (store.read, store.write):
        with pytest.raises(Unavailable), use():
            raise refusal
