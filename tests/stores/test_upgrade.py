"""A database of an earlier version: upgraded, with everything in it as it was."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from gatepass.errors import BadConfiguration
from gatepass.model.instant import to_milliseconds
from gatepass.model.rights import FULL_ACCESS, Rights
from gatepass.stores.sql import migrate, sqlite
from gatepass.stores.sql.sqlite import SqliteStore
from gatepass.testing.fakes import START
from gatepass.testing.records import keep_tokens, make_token, make_user

OWNER = make_user("owner@example.com")
TOKEN = make_token(OWNER, description="from before")


@pytest.fixture
def first_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a database as the first schema kept it, with a person and a token."""
    path = tmp_path / "gatepass.db"
    first = migrate.known_migrations()[:1]
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "known_migrations", lambda: first)
        SqliteStore.create(path).close()
    at = to_milliseconds(START)
    with closing(apsw.Connection(str(path))) as database:
        database.execute(
            "INSERT INTO users (id, email, email_key, name_key, is_admin, created_at, updated_at)"
            " VALUES (?, ?, ?, '', 0, ?, ?)",
            (OWNER.id.bytes, OWNER.email, OWNER.email, at, at),
        )
        database.execute(
            "INSERT INTO tokens (id, owner_id, mac, pepper, description, description_key, created_at, expires_at)"
            " VALUES (?, ?, ?, 1, ?, ?, ?, ?)",
            (
                TOKEN.id.bytes,
                OWNER.id.bytes,
                TOKEN.mac,
                TOKEN.description,
                TOKEN.description,
                at,
                to_milliseconds(TOKEN.expires_at),
            ),
        )
    return path


def test_the_first_schema_is_upgraded_with_everything_in_it(first_schema: Path) -> None:
    with pytest.raises(BadConfiguration, match="old schema 1"):
        SqliteStore(first_schema)
    assert sqlite.upgrade(first_schema) == [each.name for each in migrate.known_migrations()[1:]]
    with closing(SqliteStore(first_schema)) as store:
        with store.read() as tx:
            assert (tx.tokens.find(TOKEN.id), tx.users.find(OWNER.id)) == (TOKEN, OWNER)
        assert store.check_integrity() == []


def test_tokens_from_before_rights_have_full_access_and_later_ones_their_own(first_schema: Path) -> None:
    sqlite.upgrade(first_schema)
    later = replace(make_token(OWNER), rights=Rights(scopes=("jobs:run",)))
    with closing(SqliteStore(first_schema)) as store:
        keep_tokens(store, later)
        found = [store.find_verification(token.id) for token in (TOKEN, later)]
    assert [each and each.rights for each in found] == [FULL_ACCESS, later.rights]
