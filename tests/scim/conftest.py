"""A site to which two directories push, and an OpenID provider at which their people sign in."""

from collections.abc import Iterator

import pytest

from support.openid import OpenId, be_honest, running_openid
from support.pushing import CREDENTIALS, Directory, config, secrets_of_site
from support.server import Server, make_installation


@pytest.fixture(scope="module")
def running() -> Iterator[OpenId]:
    with running_openid() as provider:
        yield provider


@pytest.fixture
def op(running: OpenId) -> OpenId:
    return be_honest(running)


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.long, pytest.mark.xdist_group("postgres")])],
)
def database(request: pytest.FixtureRequest) -> str:
    """Return the URL of a PostgreSQL database, empty for a file."""
    return request.getfixturevalue("postgres").create_database() if request.param == "postgresql" else ""


@pytest.fixture(scope="module")
def site(running: OpenId, tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("scim") / "data"
    journal = data / "gatepass.journal"
    store = {"database": database, "journal": str(journal)} if database else {}
    make_installation(data, env={f"GATEPASS_STORE__{key.upper()}": value for key, value in store.items()})
    kept = "".join(f'{key} = "{value}"\n' for key, value in store.items())
    (data / "gatepass.toml").write_text(f"[store]\n{kept}" + config(running.issuer))
    with Server(data, env=secrets_of_site()) as started:
        wanted = {"apiAccessTokens.usersMayGenerate": True, "verifiers.boundSeconds": 1}
        assert started.admin("PATCH", "/v4/settings", wanted).status == 200
        yield started


@pytest.fixture
def corp(site: Server) -> Directory:
    """Enables nobody by coming back, and makes nobody at sign-in."""
    return Directory(site)


@pytest.fixture
def partners(site: Server) -> Directory:
    """Enables who comes back."""
    return Directory(site, CREDENTIALS["PARTNERS"])
