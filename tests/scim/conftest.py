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


@pytest.fixture(scope="module")
def site(running: OpenId, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("scim") / "data"
    make_installation(data)
    (data / "gatepass.toml").write_text(config(running.issuer))
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
