"""The suite for transactions: all or nothing, one at a time, seen by others when it is over."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from gatepass.interfaces import Page, Store, Transaction
from gatepass.model.settings import Settings
from gatepass.model.use import UseCount, hour_of
from gatepass.model.user import Password, PasswordLink
from gatepass.model.verdict import Reason
from gatepass.testing.fakes import START
from gatepass.testing.records import (
    keep_tokens,
    keep_users,
    make_event,
    make_session,
    make_token,
    make_user,
    make_verifier,
)

_USER = make_user("maria@example.com")
_TOKEN = make_token(_USER)
_SESSION = make_session(_USER)
_VERIFIER = make_verifier("reports")
_PAGE = Page(limit=1000)
_EMPTY = (None, None, None, 0, None, 0, Settings(), 0, None)


def _fill(tx: Transaction) -> None:
    """Do one thing of each kind."""
    tx.users.add(_USER)
    tx.users.set_password(_USER.id, Password("x", START))
    tx.users.add_link(PasswordLink(b"l" * 32, _USER.id, START))
    tx.tokens.add(_TOKEN)
    tx.tokens.record_uses({_TOKEN.id: START})
    tx.uses.add([UseCount(_TOKEN.id, hour_of(START), None, 1)])
    tx.sessions.add(_SESSION)
    tx.events.add(make_event())
    tx.settings.save(Settings(enabled=True))
    tx.failures.add([b"key"], START)
    tx.verifiers.add(_VERIFIER)


def _state(store: Store) -> tuple[object, ...]:
    with store.read() as tx:
        return (
            tx.users.find(_USER.id),
            tx.users.find_password(_USER.id),
            tx.tokens.find(_TOKEN.id),
            len(tx.uses.list_days([_TOKEN.id], 0)),
            tx.sessions.find_by_id(_SESSION.id),
            len(tx.events.list(_PAGE)),
            tx.settings.load(),
            len(tx.failures.list(b"key", START - timedelta(days=1))),
            tx.verifiers.find(_VERIFIER.id),
        )


class TransactionSuite:
    """Give a fixture `store`."""

    @pytest.mark.parametrize("error", [RuntimeError, MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit])
    def test_a_block_left_by_an_error_did_nothing(self, store: Store, error: type[BaseException]) -> None:
        def failing() -> None:
            with store.write() as tx:
                _fill(tx)
                raise error

        with pytest.raises(error):
            failing()
        assert _state(store) == _EMPTY

    def test_changes_are_taken_back_too(self, store: Store) -> None:
        with store.write() as tx:
            _fill(tx)
        before = _state(store)

        def failing() -> None:
            with store.write() as tx:
                tx.tokens.revoke(_TOKEN.id, START)
                tx.uses.add([UseCount(_TOKEN.id, hour_of(START), Reason.DELETED, 1)])
                tx.uses.prune(hour_of(START) + 1, limit=1)
                tx.users.set_password(_USER.id, None)
                tx.sessions.remove_of(_USER.id)
                tx.settings.save(Settings())
                tx.failures.prune(START + timedelta(days=9))
                tx.verifiers.remove(_VERIFIER.id, START)
                tx.users.update(make_user("other@example.com", id=_USER.id, is_admin=True))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            failing()
        assert _state(store) == before

    def test_a_store_works_on_after_a_failed_block(self, store: Store) -> None:
        self.test_a_block_left_by_an_error_did_nothing(store, RuntimeError)
        with store.write() as tx:
            _fill(tx)
        assert _state(store) != _EMPTY

    def test_what_a_block_did_is_seen_when_it_has_been_left(self, store: Store) -> None:
        with store.write() as tx:
            _fill(tx)
            assert tx.tokens.find(_TOKEN.id) is not None
        assert _state(store)[2] is not None

    def test_a_block_sees_its_own_changes(self, store: Store) -> None:
        with store.write() as tx:
            tx.users.add(_USER)
            tx.tokens.add(_TOKEN)
            assert tx.tokens.revoke(_TOKEN.id, START) is True
            assert tx.tokens.revoke(_TOKEN.id, START) is False


class ConcurrencySuite:
    """Give a fixture `store`."""

    def test_blocks_that_read_and_then_write_lose_no_update(self, store: Store) -> None:
        user = make_user("maria@example.com")
        keep_users(store, user)

        def work() -> None:
            for _ in range(20):
                with store.write() as tx:
                    days = tx.settings.load().retention_days
                    tx.settings.save(Settings(retention_days=days + 1))

        _together([work] * 4)
        with store.read() as tx:
            assert tx.settings.load().retention_days == Settings().retention_days + 80

    def test_of_many_deletions_at_once_one_wins(self, store: Store) -> None:
        user = make_user("maria@example.com")
        keep_users(store, user)
        tokens = [make_token(user) for _ in range(20)]
        keep_tokens(store, *tokens)
        won: list[bool] = []

        def work() -> None:
            for token in tokens:
                with store.write() as tx:
                    won.append(tx.tokens.revoke(token.id, START))

        _together([work] * 4)
        assert won.count(True) == 20

    def test_records_of_many_threads_are_numbered_without_gaps(self, store: Store) -> None:
        def work() -> None:
            for _ in range(20):
                with store.write() as tx:
                    tx.events.add(make_event())

        _together([work] * 4)
        with store.read() as tx:
            assert [each.sequence for each in tx.events.list(_PAGE)] == list(range(1, 81))

    def test_a_snapshot_does_not_change_while_others_write(self, store: Store) -> None:
        """Or others wait until it is over: both are a consistent view."""
        user = make_user("maria@example.com")
        keep_users(store, user)
        torn: list[tuple[int, int]] = []
        stop = threading.Event()

        def write() -> None:
            for number in range(50):
                with store.write() as tx:
                    tx.settings.save(Settings(retention_days=number + 1))
                    tx.events.add(make_event(details={"days": number + 1}))
            stop.set()

        def read() -> None:
            while not stop.is_set():
                with store.read() as tx:
                    events = len(tx.events.list(_PAGE))
                    days = tx.settings.load().retention_days
                if events and events != days:
                    torn.append((events, days))

        _together([write, read, read])
        assert torn == []


def _together(work: list[Callable[[], None]]) -> None:
    """Run all at once and raise what any of them raised."""
    errors: list[BaseException] = []

    def guarded(one: Callable[[], None]) -> None:
        try:
            one()
        except BaseException as error:  # noqa: BLE001  told to the test below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
