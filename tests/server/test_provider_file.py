"""Sections of providers in a configuration file: what is added can be read, what is removed takes nothing with it."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepass.errors import BadConfiguration, InvalidInput
from gatepass.server.provider_file import provider_ids_in, with_section, without_section

CORP = {"kind": "ldap", "enabled": False, "urls": ["ldaps://one", "ldaps://two"], "connect_seconds": 3}
REST = """# ours
[server]
listen = "127.0.0.1:0"   # any

[providers.partners] # theirs
kind = "oidc"
matrix = [
  "a",
[1, 2],
]
text = '''
[providers.corp]
# no head
'''
"""


def test_a_section_is_added_at_the_end_and_the_rest_stays_to_the_letter() -> None:
    text = with_section(REST, "corp", CORP)
    assert text.startswith(REST)
    assert tomllib.loads(text)["providers"]["corp"] == CORP
    assert provider_ids_in(text) == ["partners", "corp"]


@pytest.mark.parametrize("text", ["", "a = 1", "a = 1\n", "[b]\r\nc = 2\r\n", REST])
def test_what_was_added_and_removed_leaves_the_text_as_it_was(text: str) -> None:
    ended = text if not text or text.endswith("\n") else text + "\n"
    assert without_section(with_section(text, "corp", CORP), "corp") == ended


VALUES = st.text() | st.integers() | st.booleans() | st.lists(st.text())


@given(st.dictionaries(st.from_regex(r"\A[a-z_]{1,9}\Z"), VALUES))
def test_every_value_comes_back_as_it_was(values: dict[str, object]) -> None:
    assert tomllib.loads(with_section("", "corp", values))["providers"]["corp"] == values


def test_text_that_is_not_unicode_is_refused_by_its_key() -> None:
    with pytest.raises(InvalidInput, match="base"):
        with_section("", "corp", {"base": "\udcff"})


@pytest.mark.parametrize("head", ["[providers.corp]", '[ providers . "corp" ] # main', "  [providers.corp]"])
def test_a_section_between_others_goes_alone(head: str) -> None:
    corp = f'\n# about corp\n{head}\nkind = "ldap"\nurls = [\n  "[x]",\n]\n'
    text = REST + corp + '\n# about last\n[providers.last]\nkind = "saml"\n'
    rest = without_section(text, "corp")
    wanted = tomllib.loads(text)
    del wanted["providers"]["corp"]
    assert tomllib.loads(rest) == wanted
    assert rest.startswith(REST)
    assert '# about last\n[providers.last]\nkind = "saml"\n' in rest
    assert rest.count(head) == REST.count(head)


def test_the_last_provider_leaves_no_section() -> None:
    assert without_section('a = 1\n[providers.corp]\nkind = "ldap"\n', "corp") == "a = 1\n"


@pytest.mark.parametrize(
    "text",
    [
        'providers = {corp = {kind = "ldap"}}\n',
        'providers.corp.kind = "ldap"\n',
        '[providers]\ncorp.kind = "ldap"\nother.kind = "oidc"\n',
    ],
)
def test_a_provider_that_is_written_in_another_way_is_left_to_an_editor(text: str) -> None:
    with pytest.raises(BadConfiguration, match="not written as a section"):
        without_section(text, "corp")


def test_a_file_that_is_not_toml_is_refused() -> None:
    for use in (provider_ids_in, lambda text: without_section(text, "corp")):
        with pytest.raises(BadConfiguration, match="cannot be read"):
            use("[providers.corp")
