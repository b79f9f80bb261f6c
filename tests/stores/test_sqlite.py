"""The SQLite store keeps every promise of a store; the walking side of its lists too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepass.stores.sql import tokens
from gatepass.stores.sql.sqlite import SqliteStore
from gatepass.testing.list_suite import TokenListSuite
from stores.suites import SuitesOfOneHost


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore.create(tmp_path / "gatepass.db")
    yield made
    made.close()


class TestSqliteStore(SuitesOfOneHost):
    """With the default, every filter of these small lists gathers."""


class TestSqliteStoreWithManyMatches(TokenListSuite):
    """Here every filter believes that its matches are many, and walks."""

    @pytest.fixture(autouse=True)
    def nothing_is_few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "_FEW", 0)
