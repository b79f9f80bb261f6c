"""A browser that is remembered, on two servers of one PostgreSQL database."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.postgres import PostgresServer, database_of
from support.server import EMAIL, PASSWORD, Server, gatepass
from support.visitor import Visitor

pytestmark = pytest.mark.xdist_group("postgres")
LIMITS = {f"GATEPASS_SIGN_IN__FREE_FAILURES_PER_{name}": "5" for name in ("ACCOUNT", "ADDRESS")}
COOKIE = "gatepass_device"


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.create_database()


@pytest.fixture
def servers(url: str, tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    data, other = tmp_path / "data", tmp_path / "other"
    place = ["--data", str(data), "--database", url]
    done = gatepass("init", *place, "--email", EMAIL, "--password-file", "-", stdin=PASSWORD)
    assert done.returncode == 0, done.stderr
    shutil.copytree(data, other)
    with Server(data, *place[2:], env=LIMITS) as first, Server(other, *place[2:], env=LIMITS) as second:
        yield first, second


def tried(server: Server, cookie: str | None, password: str) -> tuple[int, str | None]:
    """Return the status of a sign-in with a cookie, and the cookie afterwards."""
    visitor = Visitor(server)
    if cookie is not None:
        visitor.cookies[COOKIE] = cookie
    status = visitor.submit("/sign-in", "/sign-in", email=EMAIL, password=password).status
    return status, visitor.cookies.get(COOKIE)


def test_a_browser_is_known_and_its_guesses_are_counted_on_all_servers(
    servers: tuple[Server, Server], postgres: PostgresServer, url: str
) -> None:
    first, second = servers
    _, cookie = tried(first, None, PASSWORD)
    for _ in range(5):
        assert second.request("GET", "/v4/people/current", basic=(EMAIL, "wrong")).status == 401
    postgres.execute("UPDATE failures SET at = at + 600000", database_of(url))
    assert tried(first, None, PASSWORD)[0] == 429
    status, cookie = tried(second, cookie, PASSWORD)
    assert status == 303
    assert [tried(each, cookie, "wrong")[0] for each in (first, second, first, second, first)] == [401] * 5
    assert [tried(each, cookie, PASSWORD)[0] for each in servers] == [429, 429]
