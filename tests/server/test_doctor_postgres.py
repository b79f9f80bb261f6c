"""What `gatepass doctor` finds about a PostgreSQL database."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gatepass.model.secret import Secret
from gatepass.server.doctor import OVER_POSTGRES, examine
from gatepass.server.doctor.finding import Finding, Level
from gatepass.server.installation import create_installation
from gatepass.server.settings import Config, ServerConfig, SignInConfig, StoreConfig
from support.postgres import USER, PgBouncer, PostgresServer, database_of, program
from support.waiting import poll

pytestmark = pytest.mark.xdist_group("postgres")
PROXIED = ServerConfig(public_url="https://tokens.example.com", trusted_proxies=("127.0.0.1",))


@pytest.fixture(scope="module")
def place(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> StoreConfig:
    data = tmp_path_factory.mktemp("over-postgres") / "data"
    url = postgres.create_database()
    password = Secret("a long enough password")
    create_installation(
        data, SignInConfig(), email="a@example.com", password=password, enable_tokens=True, database=url
    )
    return StoreConfig(data=str(data), database=url)


def found(place: StoreConfig) -> dict[str, Finding]:
    return dict(examine(Config(server=PROXIED, store=place)))


@contextmanager
def receiving(postgres: PostgresServer, folder: Path) -> Iterator[None]:
    """Let somebody take the log of the server as a standby does, without confirming anything."""
    command = [program("pg_receivewal"), "-h", postgres.folder, "-U", "postgres", "-D", folder]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        poll(lambda: postgres.execute("SELECT 1 FROM pg_stat_replication"))
        yield
    finally:
        process.terminate()
        process.wait()


def test_on_a_whole_installation_everything_is_in_order(place: StoreConfig) -> None:
    made = found(place)
    assert list(made) == list(OVER_POSTGRES)
    assert {name: each.said for name, each in made.items() if each.level is not Level.OK} == {}


def test_an_asynchronous_standby_is_never_called_highly_available(
    place: StoreConfig, postgres: PostgresServer, tmp_path: Path
) -> None:
    with receiving(postgres, tmp_path):
        assert found(place)["standbys"].level is Level.WARNING  # it is hidden from an ordinary role
        postgres.execute(f"GRANT pg_monitor TO {USER}")
        try:
            standbys = found(place)["standbys"]
        finally:
            postgres.execute(f"REVOKE pg_monitor FROM {USER}")
    assert (standbys.level, "asynchronous" in standbys.said) == (Level.WRONG, True)


def test_a_pooler_in_between_is_told(place: StoreConfig, postgres: PostgresServer) -> None:
    bouncer = PgBouncer(postgres)
    try:
        pooled = StoreConfig(data=place.data, database=bouncer.url(database_of(place.database)))
        assert found(pooled)["pooler"].level is Level.WARNING
    finally:
        bouncer.close()


def test_a_database_that_is_away_is_named_once_and_nothing_else_is_guessed(place: StoreConfig) -> None:
    away = StoreConfig(data=place.data, database="postgresql://nobody:hidden@127.0.0.1:9/none")
    made = found(away)
    assert made["database"].level is Level.WRONG
    assert {made[name].level for name in ("standbys", "pooler", "database clock", "keys")} == {Level.SKIPPED}
    assert "hidden" not in str(made)
