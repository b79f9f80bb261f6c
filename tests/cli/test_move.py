"""`gatepass db move`: everything, or nothing."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gatepass.errors import Conflict
from gatepass.interfaces import Page, Store
from gatepass.model.rights import Rights
from gatepass.model.settings import Settings
from gatepass.model.use import UseCount, hour_of
from gatepass.model.user import Password
from gatepass.stores import open_plain
from gatepass.stores.sql import move as move_module
from gatepass.stores.sql.move import move
from gatepass.stores.sql.postgres import PostgresStore
from gatepass.testing.fakes import START
from gatepass.testing.records import keep_tokens, keep_users, make_event, make_session, make_token, make_user
from support.postgres import PostgresServer, make_database
from support.server import EMAIL, Server, gatepass, make_installation

pytestmark = pytest.mark.xdist_group("postgres")
PAGE = Page(limit=1000)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    make_installation(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.create_database()


def fill(store: Store) -> None:
    user = make_user("Ärger@example.com", name="a\ttab, a \\ and a 'quote'\nand 🙂")
    tokens = [make_token(user, description=f"number {number}") for number in range(1200)]
    tokens.append(replace(make_token(user), rights=Rights(scopes=()), expires_at=None))
    keep_users(store, user)
    keep_tokens(store, *tokens)
    with store.write() as tx:
        tx.users.set_password(user.id, Password("$argon2id$x", START))
        tx.tokens.revoke(tokens[3].id, START)
        tx.uses.add([UseCount(tokens[4].id, hour_of(START), None, 7)])
        tx.sessions.add(make_session(user))
        tx.settings.save(Settings(enabled=True, retention_days=9))
        tx.failures.add([b"k" * 32], START)
        tx.events.add(make_event(details={"a": "\u0000"}))


def content(store: Store) -> list[object]:
    with store.read() as tx:
        users = tx.users.list(PAGE)
        ids = [user.id for user in users]
        found = [
            [tx.tokens.list(each, PAGE, now=START) for each in ids],
            [tx.users.find_password(each) for each in ids],
            [tx.sessions.list(each) for each in ids],
            tx.events.list(PAGE),
            tx.settings.load(),
            tx.failures.list(b"k" * 32, START.replace(year=2000)),
            tx.changes.head(),
            tx.changes.list_after(0),
        ]
    return [users, *found]


def test_an_installation_works_on_in_postgresql(data: Path, url: str) -> None:
    with Server(data) as server:
        token, info = server.create_token(description="kept")
        gone, other = server.create_token()
        server.admin("DELETE", f"/v4/apiAccessTokens/{other['tokenId']}")
    done = gatepass("db", "move", "--data", str(data), "--database", url)
    assert (done.returncode, "tokens: 2" in done.stdout) == (0, True), done.stderr
    assert (data / "gatepass.db.moved").exists()
    assert gatepass("db", "check", "--data", str(data)).returncode == 1  # nothing goes on with the file by mistake
    with Server(data, "--database", url) as server:
        assert [server.request("GET", "/verify", bearer=each).status for each in (token, gone)] == [200, 401]
        assert server.admin("GET", f"/v4/apiAccessTokens/{info['tokenId']}").json["description"] == "kept"
        server.create_token()
        assert {"token.created"} < {each["action"] for each in server.admin("GET", "/v4/auditEvents").json["data"]}


def test_every_row_is_as_it_was(data: Path, url: str) -> None:
    seen: list[tuple[int, int]] = []
    with closing(open_plain(data)) as file:
        fill(file)
        before = content(file)
    rows = move(data / "gatepass.db", url, lambda done, total: seen.append((done, total)))
    with closing(PostgresStore(url)) as store:
        assert content(store) == before
        assert store.check_integrity() == []
    assert rows["tokens"] == 1201
    assert seen[-1][0] == seen[-1][1] == 3 * sum(rows.values())


def test_a_database_with_people_in_it_is_refused(data: Path, postgres: PostgresServer) -> None:
    url = make_database(postgres)
    with closing(PostgresStore(url)) as store:
        keep_users(store, make_user("somebody@example.com"))
    done = gatepass("db", "move", "--data", str(data), "--database", url)
    assert (done.returncode, "holds an installation already" in done.stderr) == (1, True)
    assert (data / "gatepass.db").exists()


def test_a_copy_that_differs_is_taken_back(data: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = move_module._rows

    def wrong(raw: object, table: object) -> Iterator[tuple]:
        for row in right(raw, table):
            yield tuple(0 if value == 1 else value for value in row)

    monkeypatch.setattr(move_module, "_rows", wrong)
    with pytest.raises(Conflict, match="is not what was there"):
        move(data / "gatepass.db", url, lambda *_: None)
    monkeypatch.undo()
    with closing(PostgresStore(url)) as store, store.read() as tx:
        assert tx.users.counts().all == 0
    assert move(data / "gatepass.db", url, lambda *_: None)["users"] == 1


def test_a_server_that_runs_is_in_the_way(data: Path, url: str) -> None:
    with Server(data):
        done = gatepass("db", "move", "--data", str(data), "--database", url)
    assert (done.returncode, "another `gatepass serve` uses" in done.stderr) == (1, True)


def test_where_to_must_be_said(data: Path) -> None:
    done = gatepass("db", "move", "--data", str(data))
    assert (done.returncode, "must say where to" in done.stderr) == (1, True)
    assert EMAIL not in done.stderr
