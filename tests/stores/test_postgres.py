"""The PostgreSQL store keeps every promise of a store; the walking side of its lists too."""

import pytest

from gatepass.stores.sql import tokens
from gatepass.stores.sql.postgres import PostgresStore
from gatepass.testing.list_suite import TokenListSuite
from stores.suites import AllSuites
from support.postgres import emptied

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture
def store(opened: PostgresStore) -> PostgresStore:
    return emptied(opened)


class TestPostgresStore(AllSuites):
    """With the default, every filter of these small lists gathers."""


class TestPostgresStoreWithManyMatches(TokenListSuite):
    """Here every filter believes that its matches are many, and walks."""

    @pytest.fixture(autouse=True)
    def nothing_is_few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "_FEW", 0)
