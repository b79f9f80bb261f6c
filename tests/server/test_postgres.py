"""Two servers on one PostgreSQL database, with one key file: what one is told holds for the other soon."""

import functools
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from gatepass.connect import open_verifier
from gatepass.model.verdict import Accepted
from support.postgres import PostgresServer
from support.server import EMAIL, PASSWORD, Server, gatepass
from support.visitor import Visitor
from support.waiting import poll

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture(scope="module")
def place(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A data directory, and the environment that says where the database is, with a password."""
    folder = tmp_path_factory.mktemp("on-postgres")
    (folder / "database").write_text(postgres.create_database().replace("gatepass@", "gatepass:hush-hush@", 1) + "\n")
    data, environment = folder / "data", {"GATEPASS_STORE__DATABASE_FILE": str(folder / "database")}
    init = ["init", "--data", str(data), "--email", EMAIL, "--password-file", "-", "--enable-tokens"]
    assert gatepass(*init, stdin="too short", env=environment).returncode == 2
    assert list(data.iterdir()) == []
    assert gatepass(*init, stdin=PASSWORD, env=environment).returncode == 0
    return data, environment


@pytest.fixture(scope="module")
def servers(place: tuple[Path, dict[str, str]]) -> Iterator[tuple[Server, Server]]:
    data, environment = place
    other = data.with_name("other")
    shutil.copytree(data, other)
    with Server(data, env=environment) as first, Server(other, env=environment) as second:
        yield first, second


def verify(server: Server, token: str) -> int:
    return server.request("GET", "/verify", bearer=token).status


def refuses(server: Server, token: str) -> bool:
    return verify(server, token) == 401


def test_only_the_keys_are_in_the_directory(place: tuple[Path, dict[str, str]]) -> None:
    data, environment = place
    assert {each.name for each in data.iterdir()} - {"serve.lock"} == {"gatepass.keys"}
    again = ["init", "--data", str(data.with_name("new")), "--email", EMAIL, "--password-file", "-"]
    done = gatepass(*again, stdin=PASSWORD, env=environment)
    assert (done.returncode, "the database holds an installation already" in done.stderr) == (1, True)


def test_a_deletion_holds_on_its_server_when_it_returns_and_on_the_other_soon(servers: tuple[Server, Server]) -> None:
    first, second = servers
    for _ in range(5):
        token, info = first.create_token()
        assert [verify(each, token) for each in servers] == [200, 200]
        assert second.admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}").status == 204
        assert verify(second, token) == 401
        poll(functools.partial(refuses, first, token), seconds=5)


def test_many_at_once_are_each_judged_for_themselves(servers: tuple[Server, Server]) -> None:
    first, _ = servers
    good = [first.create_token(description=str(number))[0] for number in range(5)]
    token, info = first.create_token()
    first.admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}")
    tokens = [*good, token, "gpat_nonsense"] * 20
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda each: verify(first, each), tokens))
    assert found == [200 if each in good else 401 for each in tokens]


def test_uses_are_written(servers: tuple[Server, Server]) -> None:
    first, second = servers
    token, info = first.create_token()
    assert verify(first, token) == 200
    path = f"/v4/apiAccessTokens/{info['tokenId']}"
    assert poll(lambda: second.admin("GET", path).json["lastUsed"])


def test_a_slow_look_up_holds_up_nobody_else(
    postgres: PostgresServer, place: tuple[Path, dict[str, str]], servers: tuple[Server, Server]
) -> None:
    first, _ = servers
    token, _ = first.create_token()

    def somebody_waits() -> bool:
        looking = "wait_event_type = 'Lock' AND query LIKE '%ANY(%'"
        return bool(postgres.execute(f"SELECT 1 FROM pg_stat_activity WHERE {looking}"))

    def answers_meanwhile() -> bool:
        """Ask for something else during a look-up; true if that was answered before the look-up gave up."""
        waiting = pool.submit(verify, first, token)
        poll(lambda: somebody_waits() or waiting.done())
        alive = first.request("GET", "/livez").status == 200
        before_it_gave_up = somebody_waits()
        return waiting.result() == 503 and alive and before_it_gave_up

    database = Path(place[1]["GATEPASS_STORE__DATABASE_FILE"]).read_text().strip()
    with psycopg.connect(database) as other, ThreadPoolExecutor() as pool:
        other.execute("LOCK TABLE tokens")
        assert poll(answers_meanwhile)  # again, should this machine have been slower than the look-up
    assert verify(first, token) == 200


def test_who_needs_no_database_does_not_wait_for_those_who_do(
    postgres: PostgresServer, servers: tuple[Server, Server]
) -> None:
    first, _ = servers
    token, _ = first.create_token()
    assert verify(first, token) == 200
    with ThreadPoolExecutor() as pool:
        postgres.freeze()
        try:
            waiting = [pool.submit(first.request, "GET", "/v4/apiAccessTokens", bearer=token) for _ in range(4)]
            time.sleep(0.5)
            answers = [first.request("GET", "/livez").status, verify(first, token)]
            assert not any(each.done() for each in waiting)
        finally:
            postgres.freeze(thaw=True)
    assert answers == [200, 200]
    poll(lambda: verify(first, first.create_token()[0]) == 200)


def test_pages_that_tell_of_receipts_do_not_wait_for_each_other_for_ever(servers: tuple[Server, Server]) -> None:
    visitor = Visitor(servers[0]).sign_in()
    with ThreadPoolExecutor(60) as pool:
        shown = list(pool.map(lambda _: visitor.get("/settings/access-tokens?change=1").status, range(60)))
    assert shown == [200] * 60


def test_while_the_database_is_down_everything_is_503_and_then_it_works_again(
    postgres: PostgresServer, servers: tuple[Server, Server]
) -> None:
    first, second = servers
    token, _ = first.create_token()
    postgres.stop()
    try:
        for server in servers:
            assert [verify(server, token), server.request("GET", "/readyz").status] == [503, 503]
            assert server.admin("GET", "/v4/apiAccessTokens").status == 503
            assert server.request("GET", "/livez").status == 200
    finally:
        postgres.start()
    poll(lambda: [verify(each, token) for each in servers] == [200, 200], seconds=5)
    assert second.admin("GET", "/v4/apiAccessTokens").status == 200


def test_a_verifier_inside_a_service_judges_by_the_same_database(
    place: tuple[Path, dict[str, str]], servers: tuple[Server, Server]
) -> None:
    data, environment = place
    token, info = servers[0].create_token()
    database = Path(environment["GATEPASS_STORE__DATABASE_FILE"]).read_text().strip()
    with open_verifier(data, database=database) as verifier:
        assert isinstance(verifier.verify(token), Accepted)
        servers[1].admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}")
        assert poll(lambda: not isinstance(verifier.verify(token), Accepted), seconds=5)


def test_commands_work_on_the_database(place: tuple[Path, dict[str, str]], servers: tuple[Server, Server]) -> None:
    data, environment = place

    def run(*arguments: str) -> str:
        done = gatepass(*arguments, "--data", str(data), env=environment)
        assert "hush" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    assert run("db", "check") == "ok\n"
    assert run("db", "upgrade") == "nothing to do\n"
    assert "own tools" in run("db", "backup", str(data / "copy"))
    assert "(hidden)" in run("config", "show")
    assert run("settings", "get", "apiAccessTokens.enabled") == "true\n"
    assert "holds a password" in run("db", "check", "--database", "postgresql://u:hush@h/db")
    assert "must be like postgresql://" in run("db", "check", "--database", "mysql://h/db")


def test_no_log_holds_the_password(servers: tuple[Server, Server]) -> None:
    for server in servers:
        log = server.log.read_text()
        assert "request" in log
        assert "hush" not in log
