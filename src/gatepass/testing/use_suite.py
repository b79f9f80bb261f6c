"""The suite for counted uses: they add up, concern tokens that exist, and go with them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from gatepass.interfaces import Store
from gatepass.model.secret import generate_id
from gatepass.model.token import Token
from gatepass.model.use import DayCount, UseCount, day_of, hour_of
from gatepass.model.verdict import Reason
from gatepass.testing.fakes import START
from gatepass.testing.records import keep_tokens, keep_users, make_token, make_user

_DAY = day_of(START)
_HOUR = hour_of(START)


def _add(store: Store, *counts: UseCount) -> None:
    with store.write() as tx:
        tx.uses.add(counts)


def _days(store: Store, *tokens: Token, since: int = _DAY) -> set[DayCount]:
    with store.read() as tx:
        return set(_once(tx.uses.list_days([token.id for token in tokens], since)))


def _once(found: Sequence[DayCount]) -> Sequence[DayCount]:
    keys = [(each.token_id, each.day, each.reason) for each in found]
    assert len(keys) == len(set(keys))
    return found


class UseSuite:
    """Give a fixture `store`."""

    @pytest.fixture
    def used(self, store: Store) -> list[Token]:
        owner = make_user("owner@example.com")
        made = [make_token(owner) for _ in range(3)]
        keep_users(store, owner)
        keep_tokens(store, *made)
        return made

    def test_counts_add_up_by_day_and_outcome(self, store: Store, used: list[Token]) -> None:
        first, second, _ = (token.id for token in used)
        _add(store, UseCount(first, _HOUR, None, 3), UseCount(first, _HOUR, Reason.EXPIRED, 1))
        _add(store, UseCount(first, _HOUR, None, 4), UseCount(first, _HOUR + 23, None, 10))
        _add(store, UseCount(first, _HOUR + 24, None, 5), UseCount(second, _HOUR, Reason.DELETED, 2))
        assert _days(store, *used) == {
            DayCount(first, _DAY, None, 17),
            DayCount(first, _DAY, Reason.EXPIRED, 1),
            DayCount(first, _DAY + 1, None, 5),
            DayCount(second, _DAY, Reason.DELETED, 2),
        }

    def test_only_what_was_asked_for_is_listed(self, store: Store, used: list[Token]) -> None:
        first, second, _ = used
        _add(store, *(UseCount(each.id, _HOUR + hour, None, 1) for each in (first, second) for hour in (-1, 0)))
        assert _days(store, first) == {DayCount(first.id, _DAY, None, 1)}
        assert _days(store) == set()

    @pytest.mark.parametrize("reason", Reason)
    def test_every_reason_comes_back(self, store: Store, used: list[Token], reason: Reason) -> None:
        _add(store, UseCount(used[0].id, _HOUR, reason, 1))
        assert _days(store, *used) == {DayCount(used[0].id, _DAY, reason, 1)}

    def test_counts_of_tokens_without_a_record_are_ignored(self, store: Store, used: list[Token]) -> None:
        gone = make_token(make_user("nobody@example.com"), id=generate_id(START))
        _add(store, UseCount(gone.id, _HOUR, None, 1), UseCount(used[0].id, _HOUR, None, 1))
        assert _days(store, gone, *used) == {DayCount(used[0].id, _DAY, None, 1)}

    def test_a_deleted_token_goes_on_being_counted_and_stays_deleted(self, store: Store, used: list[Token]) -> None:
        with store.write() as tx:
            tx.tokens.revoke(used[0].id, START)
            before = tx.tokens.find(used[0].id)
        _add(store, UseCount(used[0].id, _HOUR, Reason.DELETED, 7), UseCount(used[0].id, _HOUR, None, 1))
        with store.read() as tx:
            assert tx.tokens.find(used[0].id) == before
        assert DayCount(used[0].id, _DAY, Reason.DELETED, 7) in _days(store, used[0])

    def test_counts_go_with_the_record_of_their_token(self, store: Store, used: list[Token]) -> None:
        _add(store, *(UseCount(token.id, _HOUR, None, 1) for token in used))
        with store.write() as tx:
            tx.tokens.revoke(used[0].id, START)
            assert tx.tokens.prune(START + timedelta(days=1), limit=10) == 1
        assert _ids(_days(store, *used)) == {token.id for token in used[1:]}

    def test_pruning_takes_what_is_older_in_portions(self, store: Store, used: list[Token]) -> None:
        _add(store, *(UseCount(used[0].id, _HOUR + hour, None, 1) for hour in range(-5, 2)))
        with store.write() as tx:
            assert [tx.uses.prune(_HOUR, limit=3) for _ in range(3)] == [3, 2, 0]
        assert _days(store, used[0], since=_DAY - 1) == {DayCount(used[0].id, _DAY, None, 2)}


def _ids(found: set[DayCount]) -> set[UUID]:
    return {each.token_id for each in found}
