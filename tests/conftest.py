"""Fixtures for every test. `server` is shared by a module; what changes settings takes `own_server`.

With several workers, the tests that share something of a module stay together: it is made once then.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("gatepass.testing", "support")  # so that they speak under python -O too

from support.postgres import PostgresServer  # noqa: E402
from support.samba import Samba, why_not  # noqa: E402
from support.server import Server, make_installation  # noqa: E402  only after the line above

SOAK = bool(os.environ.get("GATEPASS_SOAK"))


@pytest.hookimpl(tryfirst=True)  # the groups are read by another one, and so is `soak`
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group what shares a fixture of its module; leave what is long to `make soak`."""
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.soak)
            item.add_marker(pytest.mark.skipif(not SOAK, reason="long: `make soak` runs it"))
        known = getattr(item, "_fixtureinfo", None)
        definitions = known.name2fixturedefs.values() if known else ()
        shares = any(each.scope == "module" for several in definitions for each in several)
        if shares and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with tokens switched on, for one module."""
    data = tmp_path_factory.mktemp("installation") / "data"
    make_installation(data)
    with Server(data) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server, started when a test first asks for it."""
    running = PostgresServer()
    yield running
    running.close()


@pytest.fixture(scope="session")
def samba() -> Iterator[Samba]:
    """An Active Directory, started when a test first asks for it."""
    if reason := why_not():
        pytest.skip(reason)
    running = Samba()
    yield running
    running.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A running server for one test alone."""
    data = tmp_path / "data"
    make_installation(data)
    with Server(data) as running:
        yield running
