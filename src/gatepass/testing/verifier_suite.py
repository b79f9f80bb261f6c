"""The suite for registered verifiers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gatepass.errors import Conflict
from gatepass.interfaces import Store
from gatepass.model.registered_verifier import RegisteredVerifier
from gatepass.model.secret import generate_id
from gatepass.testing.fakes import START
from gatepass.testing.records import ids_of, make_verifier

_DAY = timedelta(days=1)


def _keep(store: Store, *verifiers: RegisteredVerifier) -> None:
    with store.write() as tx:
        for verifier in verifiers:
            tx.verifiers.add(verifier)


class VerifierSuite:
    """Give a fixture `store`."""

    def test_a_verifier_comes_back_as_it_was_kept(self, store: Store) -> None:
        verifier = make_verifier("Reports 🙂", pepper=3)
        _keep(store, verifier)
        with store.read() as tx:
            assert tx.verifiers.find(verifier.id) == verifier
            assert tx.verifiers.find_by_name("rEPORTS 🙂") == verifier
            assert tx.verifiers.find(generate_id(START)) is None
            assert tx.verifiers.find_by_name("Reports") is None

    @pytest.mark.parametrize("name", ["reports", "REPORTS"])
    def test_a_name_belongs_to_one_verifier_whatever_its_case(self, store: Store, name: str) -> None:
        _keep(store, make_verifier("Reports"))
        with pytest.raises(Conflict):
            _keep(store, make_verifier(name))

    def test_an_id_belongs_to_one_verifier(self, store: Store) -> None:
        verifier = make_verifier("reports")
        _keep(store, verifier)
        with pytest.raises(Conflict):
            _keep(store, replace(verifier, name="other"))

    def test_verifiers_are_listed_oldest_first_without_removed_ones(self, store: Store) -> None:
        first, second, third = (make_verifier(name, at=START + day * _DAY) for day, name in enumerate("cab"))
        _keep(store, third, first, second)
        with store.write() as tx:
            assert ids_of(tx.verifiers.list()) == [first.id, second.id, third.id]
            tx.verifiers.remove(second.id, START)
            assert ids_of(tx.verifiers.list()) == [first.id, third.id]

    def test_a_removed_verifier_keeps_its_record_and_loses_mac_and_name(self, store: Store) -> None:
        old = make_verifier("reports")
        _keep(store, old)
        with store.write() as tx:
            assert tx.verifiers.remove(old.id, START + _DAY) is True
            assert tx.verifiers.find(old.id) == replace(old, removed_at=START + _DAY, mac=b"")
            assert tx.verifiers.find_by_name("reports") is None
        new = make_verifier("reports")
        _keep(store, new)
        with store.read() as tx:
            assert tx.verifiers.find_by_name("reports") == new

    def test_the_first_removal_wins(self, store: Store) -> None:
        verifier = make_verifier("reports")
        _keep(store, verifier)
        with store.write() as tx:
            tx.verifiers.remove(verifier.id, START)
            assert tx.verifiers.remove(verifier.id, START + _DAY) is False
            assert tx.verifiers.remove(generate_id(START), START) is False
            found = tx.verifiers.find(verifier.id)
            assert found is not None
            assert found.removed_at == START

    def test_verifiers_are_counted_by_pepper_without_removed_ones(self, store: Store) -> None:
        gone = make_verifier("gone", pepper=1)
        _keep(store, make_verifier("a", pepper=1), make_verifier("b", pepper=2), make_verifier("c", pepper=2), gone)
        with store.write() as tx:
            tx.verifiers.remove(gone.id, START)
            assert dict(tx.verifiers.count_by_pepper()) == {1: 1, 2: 2}
