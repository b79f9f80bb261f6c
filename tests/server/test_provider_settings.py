"""The configuration of identity providers: several, each with the keys of its kind, and an error for any other."""

from pathlib import Path

import pytest

from gatepass.errors import BadConfiguration
from gatepass.identity import KINDS
from gatepass.model.secret import sha256
from gatepass.server.provider_settings import configured
from gatepass.server.settings import Config, load_config
from gatepass.testing.fakes import FakeClock


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "toy", "support.toy")


def load(tmp_path: Path, text: str, **environment: str) -> Config:
    path = tmp_path / "gatepass.toml"
    path.write_text(text)
    return load_config({}, file=path, environment=environment)


TWO = """
[providers.corp]
kind = "toy"
name = "Company"
people = "a.json"
admin_groups = ["admins", "Chefs"]
[providers.partners]
kind = "toy"
people = "b.json"
"""


def test_several_providers_are_kept_in_their_order(tmp_path: Path) -> None:
    config = load(tmp_path, TWO)
    assert list(config.providers) == ["corp", "partners"]
    assert config.value("providers.partners.people") == "b.json"
    assert config.value("providers.corp.name") == "Company"


def test_a_provider_is_built_with_its_rules(tmp_path: Path) -> None:
    config = load(tmp_path, TWO)
    corp, partners = (configured(each, clock=FakeClock()) for each in config.providers.values())
    assert (corp.id, corp.name, partners.name) == ("corp", "Company", "partners")
    assert corp.admission.admin_groups == {"admins", "Chefs"}
    assert partners.admission.admin_groups is None
    assert (corp.admin_grace_seconds, corp.grace_seconds) == (0, 3600)
    assert corp.passwords is not None
    assert corp.redirect is not None
    assert corp.directory is not None


def test_a_secret_can_come_from_a_file_and_is_hidden(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("very secret\n")
    config = load(tmp_path, TWO, GATEPASS_PROVIDERS__CORP__KEY_FILE=str(secret))
    assert config.value("providers.corp.key") == "very secret"
    assert config.origins["providers.corp.key"] == "GATEPASS_PROVIDERS__CORP__KEY_FILE"
    assert config.is_secret("providers.corp.key")
    assert not config.is_secret("providers.corp.people")


def test_a_provider_can_be_configured_by_the_environment_alone(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "",
        GATEPASS_PROVIDERS__IN_HOUSE__KIND="toy",
        GATEPASS_PROVIDERS__IN_HOUSE__PEOPLE="a.json",
        GATEPASS_PROVIDERS__IN_HOUSE__POSTS="true",
        GATEPASS_PROVIDERS__IN_HOUSE__ADMIN_GROUPS="a, b",
    )
    provider = config.providers["in_house"]
    assert (provider.options.posts, provider.config.admin_groups) == (True, ("a", "b"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[providers.corp]\nkind = "toy"\npeopel = "x"', r"providers\.corp\.peopel: .*no key"),
        ('[providers.corp]\nkind = "nothing"', r"providers\.corp\.kind: must be one of"),
        ("[providers.corp]\nname = 'x'", r"providers\.corp\.kind: must be one of"),
        ('[providers.local]\nkind = "toy"', r"providers\.local: .*no id of a provider"),
        ('[providers.Corp]\nkind = "toy"', r"providers\.Corp: .*no id of a provider"),
        ('[providers."a.b"]\nkind = "toy"', r"providers\.a"),
        ("[providers]\ncorp = 1", r"providers\.corp: must be a section"),
        ('[providers.corp]\nkind = "toy"\nposts = "perhaps"', r"providers\.corp\.posts: .*must be true or false"),
        ('[providers.corp]\nkind = "toy"\ngrace_seconds = -1', r"providers\.corp\.grace_seconds: must be"),
        ('[providers.corp]\nkind = "toy"\nname = "a\\nb"', r"providers\.corp\.name: must not"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadConfiguration, match=said):
        load(tmp_path, text)


def test_a_directory_that_pushes_is_known_by_the_hash_of_its_credential(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{'a' * 32}, {'b' * 32}\n")
    config = load(tmp_path, TWO, GATEPASS_PROVIDERS__CORP__SCIM_CREDENTIAL_FILE=str(secret))
    corp, partners = (configured(each, clock=FakeClock()) for each in config.providers.values())
    assert corp.push_digests == (sha256("a" * 32), sha256("b" * 32))
    assert corp.admission.names_are_pushed
    assert (partners.push_digests, partners.admission.names_are_pushed) == ((), False)
    assert config.is_secret("providers.corp.scim_credential")


@pytest.mark.parametrize("text", ["short", "a" * 31, "a" * 513, "a" * 32 + " b", "ä" * 32, "a" * 32 + "!"])
def test_a_credential_that_could_be_guessed_or_not_sent_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadConfiguration, match=r"providers\.corp\.scim_credential: must be 32 to 512") as caught:
        load(tmp_path, TWO, GATEPASS_PROVIDERS__CORP__SCIM_CREDENTIAL=text)
    assert text not in str(caught.value)


def test_a_credential_belongs_to_one_provider(tmp_path: Path) -> None:
    same = {f"GATEPASS_PROVIDERS__{each}__SCIM_CREDENTIAL": "a" * 32 for each in ("CORP", "PARTNERS")}
    with pytest.raises(BadConfiguration, match=r"providers\.partners\.scim_credential: is another provider's"):
        load(tmp_path, TWO, **same)


def test_a_secret_of_the_wrong_kind_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration) as caught:
        load(tmp_path, '[providers.corp]\nkind = "toy"\nkey = ["very secret"]')
    assert "very secret" not in str(caught.value)


def test_what_an_option_lacks_is_said_when_it_is_built(tmp_path: Path) -> None:
    config = load(tmp_path, '[providers.corp]\nkind = "toy"')
    with pytest.raises(BadConfiguration, match=r"providers\.corp\.people: must name a file"):
        configured(config.providers["corp"], clock=FakeClock())
