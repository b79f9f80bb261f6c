"""A database in PostgreSQL for one module, and a store that opened it."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from gatepass.stores.sql.postgres import PostgresStore
from support.postgres import PostgresServer, make_database


@pytest.fixture(scope="module")
def url(postgres: PostgresServer) -> str:
    return make_database(postgres)


@pytest.fixture(scope="module")
def opened(url: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(url)) as store:
        yield store
