"""The revocation journal around PostgreSQL: only where it is asked for, and then it is as with SQLite."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from gatepass.connect import open_store
from gatepass.errors import BadConfiguration
from gatepass.services.revoke_token import revoke_token
from gatepass.stores.journalled import JournalledStore
from gatepass.stores.sql.postgres import PostgresStore
from gatepass.testing.change_suite import ChangeSuite
from gatepass.testing.fakes import acting, add_person, make_deps
from gatepass.testing.records import keep_tokens, make_token
from gatepass.testing.transaction_suite import TransactionSuite
from gatepass.testing.verifier_suite import VerifierSuite
from stores.test_journalled import journalled
from support.postgres import USER, PostgresServer, database_of, emptied
from support.server import Server, gatepass, make_installation

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gatepass.journal"


@pytest.fixture
def store(opened: PostgresStore, path: Path) -> JournalledStore:
    return journalled(emptied(opened), path)


class TestJournalledPostgresStore(ChangeSuite, VerifierSuite, TransactionSuite):
    """The journal takes nothing away."""


def test_a_database_that_was_put_back_lacks_nobody_who_ended(
    postgres: PostgresServer, url: str, store: JournalledStore, path: Path
) -> None:
    deps = make_deps(store)
    owner = add_person(deps, "owner@example.com", is_admin=True)
    token = make_token(owner)
    keep_tokens(store, token)
    # A copy is quicker than a dump, and the same to whoever opens it.
    name = f"{database_of(url)}_back"
    postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database_of(url)}'")
    postgres.execute(f"CREATE DATABASE {name} OWNER {USER} TEMPLATE {database_of(url)}")
    revoke_token(deps, acting(owner), token.id)
    with closing(open_store(Path(), database=postgres.url(name), journal=path)) as back, back.read() as tx:
        assert tx.tokens.find(token.id).revoked_at is not None
        assert tx.journal.find().restores == 1


def test_a_database_with_a_journal_is_not_opened_without_it(url: str, store: JournalledStore) -> None:
    with pytest.raises(BadConfiguration, match="must name the revocation journal"):
        open_store(Path(), database=url, journal=None)


def test_the_journal_of_a_file_goes_on_in_postgresql(postgres: PostgresServer, tmp_path: Path) -> None:
    data, url = tmp_path / "data", postgres.create_database()
    make_installation(data)
    with Server(data) as server:
        token, info = server.create_token()
        assert gatepass("db", "backup", str(tmp_path / "backup.db"), "--data", str(data)).returncode == 0
        server.admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}")
    for each in data.glob("gatepass.db*"):
        each.unlink()
    shutil.copyfile(tmp_path / "backup.db", data / "gatepass.db")  # by hand: nothing was repeated yet
    (data / "gatepass.db").chmod(0o600)
    place = ["--data", str(data), "--database", url]
    environment = {"GATEPASS_STORE__JOURNAL": str(data / "gatepass.journal")}
    moved = gatepass("db", "move", *place, env=environment)
    assert moved.returncode == 0, moved.stderr
    without = gatepass("verifiers", "list", *place)
    assert (without.returncode, "store.journal" in without.stderr) == (1, True), without.stderr
    with Server(data, "--database", url, env=environment) as server:
        assert server.request("GET", "/verify", bearer=token).status == 401
    assert gatepass("db", "check", *place, env=environment).stdout == "ok\n"
