"""What every store must promise about changes."""

import pytest

from gatepass.interfaces import Store
from gatepass.model.change import Change, ChangeKind
from gatepass.model.secret import generate_id
from gatepass.testing.fakes import START
from gatepass.testing.records import keep_tokens, keep_users, make_token, make_user


class ChangeSuite:
    """Changes are numbered in the order of commits."""

    def test_a_new_store_has_had_no_change(self, store: Store) -> None:
        assert store.changes_after(0) == []

    def test_changes_come_back_in_order_without_gaps(self, store: Store) -> None:
        token, owner = generate_id(START), generate_id(START)
        with store.write() as tx:
            tx.changes.add(ChangeKind.TOKEN, token)
            tx.changes.add(ChangeKind.OWNER, owner)
        with store.write() as tx:
            tx.changes.add(ChangeKind.EVERYTHING)
        expected = [
            Change(1, ChangeKind.TOKEN, token),
            Change(2, ChangeKind.OWNER, owner),
            Change(3, ChangeKind.EVERYTHING),
        ]
        assert store.changes_after(0) == expected
        assert store.changes_after(2) == expected[2:]
        assert store.changes_after(3) == []

    def test_a_change_that_was_taken_back_never_happened(self, store: Store) -> None:
        def change_and_fail() -> None:
            with store.write() as tx:
                tx.changes.add(ChangeKind.EVERYTHING)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            change_and_fail()
        assert store.changes_after(0) == []
        with store.write() as tx:
            tx.changes.add(ChangeKind.EVERYTHING)
        assert store.changes_after(0) == [Change(1, ChangeKind.EVERYTHING)]

    def test_whoever_missed_too_many_changes_is_told_so(self, store: Store) -> None:
        with store.write() as tx:
            for _ in range(10):
                tx.changes.add(ChangeKind.EVERYTHING)
        with store.write() as tx:
            tx.changes.prune(keep=3)
        assert store.changes_after(6) is None
        found = store.changes_after(7)
        assert found is not None
        assert [change.revision for change in found] == [8, 9, 10]

    def test_a_revision_of_the_future_is_not_known(self, store: Store) -> None:
        """Somebody has seen another database than this one."""
        assert store.changes_after(5) is None

    def test_the_epoch_stays_what_it_is(self, store: Store) -> None:
        def epoch() -> str:
            with store.read() as tx:
                return tx.changes.epoch()

        before = epoch()
        assert before
        with store.write() as tx:
            tx.changes.add(ChangeKind.EVERYTHING)
        assert epoch() == before

    def test_what_judging_a_token_needs_is_read_in_the_same_view_as_the_head(self, store: Store) -> None:
        owner = make_user("owner@example.com")
        token = make_token(owner)
        keep_users(store, owner)
        keep_tokens(store, token)
        with store.read() as tx:
            found = tx.find_verifications([generate_id(START), token.id]).found
        assert found == {token.id: store.find_verification(token.id)}


class WordsSuite:
    """The words say how far the changes have come: for stores that share memory with all their writers."""

    def test_the_words_are_at_the_change_when_the_write_has_returned(self, store: Store) -> None:
        words = store.words
        assert list(words) == [0, 0]
        for revision in (1, 2, 3):
            with store.write() as tx:
                tx.changes.add(ChangeKind.EVERYTHING)
            assert list(words) == [revision, revision]

    def test_a_write_that_changes_no_verdict_leaves_the_words(self, store: Store) -> None:
        with store.write() as tx:
            tx.failures.add([b"k" * 32], START)
        assert list(store.words) == [0, 0]

    def test_a_change_that_was_taken_back_leaves_the_words(self, store: Store) -> None:
        def change_and_fail() -> None:
            with store.write() as tx:
                tx.changes.add(ChangeKind.EVERYTHING)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            change_and_fail()
        assert list(store.words) == [0, 0]
