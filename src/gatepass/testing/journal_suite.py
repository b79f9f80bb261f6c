"""What a store must do for its revocation journal: tell what a transaction changed, and keep the mark with it."""

from dataclasses import replace

import pytest

from gatepass.interfaces import Store
from gatepass.model.change import ChangeKind
from gatepass.model.journal import JournalMark
from gatepass.model.secret import generate_id
from gatepass.testing.fakes import START

MARK = JournalMark(generate_id(START), 0, 194, b"\x01" * 32, 0)


class JournalSuite:
    """Promises about the mark and the changes made. Give a fixture `store` that has no journal."""

    def test_a_transaction_tells_the_changes_that_it_made_and_no_others(self, store: Store) -> None:
        with store.write() as tx:
            tx.changes.add(ChangeKind.EVERYTHING)
        with store.write() as tx:
            assert list(tx.changes.made) == []
            head = tx.changes.head()
            tx.changes.add(ChangeKind.TOKEN, MARK.journal_id)
            tx.changes.add(ChangeKind.VERIFIER, MARK.journal_id)
            assert list(tx.changes.made) == list(tx.changes.list_after(head) or ())
            assert len(tx.changes.made) == 2

    def test_a_new_store_has_no_mark_and_the_last_one_saved_counts(self, store: Store) -> None:
        with store.write() as tx:
            assert tx.journal.find() is None
            tx.journal.save(MARK)
        after = replace(MARK, number=1, size=400, chain=b"\x02" * 32, restores=3)
        with store.write() as tx:
            assert tx.journal.find() == MARK
            tx.journal.save(after)
        with store.read() as tx:
            assert tx.journal.find() == after

    def test_a_mark_goes_with_its_transaction(self, store: Store) -> None:
        def fail() -> None:
            with store.write() as tx:
                tx.journal.save(MARK)
                raise LookupError

        with pytest.raises(LookupError):
            fail()
        with store.read() as tx:
            assert tx.journal.find() is None
