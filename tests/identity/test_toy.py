"""The toy passes what every provider must: a sixth kind is one file and one line."""

import json
from pathlib import Path

import pytest

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.identity import KINDS, build_provider, find_kind
from gatepass.testing.fakes import FakeClock
from gatepass.testing.provider_suite import (
    DirectoryProviderSuite,
    KnownPerson,
    PasswordProviderSuite,
    RedirectProviderSuite,
)
from support.toy import Options

PEOPLE = {
    "s1": {"login": "maria", "password": "orchard", "groups": ["staff"], "email": "maria@example.com"},
    "s2": {"login": "bob", "password": "lantern", "disabled": True},
}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.json"
    path.write_text(json.dumps(PEOPLE))
    return path


@pytest.fixture
def provider(people: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(KINDS, "toy", "support.toy")  # the one line
    return build_provider("toy", Options(people=str(people)), provider_id="corp", clock=FakeClock())


@pytest.fixture
def person() -> KnownPerson:
    return KnownPerson(("maria", "MARIA", " maria "), "orchard", "s1", frozenset({"staff"}))


@pytest.fixture
def absent_subject() -> str:
    return "s2"


@pytest.fixture
def answers():
    class Toy:
        subject = "s1"

        def to(self, begun):
            return {"state": begun.kept["state"], "who": "s1"}

    return Toy()


class TestPasswords(PasswordProviderSuite):
    pass


class TestDirectory(DirectoryProviderSuite):
    pass


class TestRedirect(RedirectProviderSuite):
    pass


def test_an_outage_is_no_refusal(provider, people: Path) -> None:
    people.unlink()
    with pytest.raises(Unavailable):
        provider.resolve("maria")


def test_a_kind_that_is_not_known_is_named() -> None:
    with pytest.raises(BadConfiguration, match=r"must be one of .*ldap.*'nothing'"):
        find_kind("nothing")


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "nothing", "no_such_package")
    with pytest.raises(BadConfiguration, match="needs the package 'no_such_package'"):
        build_provider("nothing", None, provider_id="corp", clock=FakeClock())


def test_every_provider_is_in_the_table() -> None:
    from gatepass import identity

    folder = Path(identity.__file__).parent
    found = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    kinds = {module.rpartition(".")[2] for module in KINDS.values()}
    assert found - {"__init__", "__pycache__", "local"} == kinds
