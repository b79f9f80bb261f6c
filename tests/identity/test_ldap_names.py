"""What is typed is data: in filters, in DNs, and in the form in which DNs are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepass.errors import BadConfiguration
from gatepass.identity.ldap import group_key
from gatepass.identity.ldap.names import (
    any_of,
    dn_value,
    filter_value,
    guid_bytes,
    guid_text,
    is_within,
    normal_dn,
    usable_login,
    without_domain,
)

SPECIALS = st.text(st.sampled_from('*()\\\0&|!=<>~:,+"#; /a1é\u2028') | st.characters(codec="utf-8"), max_size=40)


def decoded(escaped: str) -> bytes:
    """Read `\\xx` as RFC 4515 and RFC 4514 both do."""
    raw, index = bytearray(), 0
    while index < len(escaped):
        if escaped[index] == "\\":
            raw += bytes.fromhex(escaped[index + 1 : index + 3])
            index += 3
        else:
            raw += escaped[index].encode()
            index += 1
    return bytes(raw)


@given(SPECIALS)
def test_a_value_keeps_its_meaning_and_gets_no_other(value: str) -> None:
    for escaped in (filter_value(value), dn_value(value)):
        assert decoded(escaped) == value.encode()
        assert set(escaped) <= set("\\0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


@given(SPECIALS)
def test_a_filter_around_a_value_has_the_parts_it_was_made_of(value: str) -> None:
    made = any_of(["uid", "mail"], value)
    assert (made.count("("), made.count(")"), made.count("*"), made.count("=")) == (3, 3, 0, 2)


def test_bytes_are_escaped_as_they_are() -> None:
    assert filter_value(b"\x00\xffA") == "\\00\\ffA"


@given(SPECIALS)
def test_a_dn_with_any_value_in_it_has_as_many_parts_as_it_was_made_of(value: str) -> None:
    made = normal_dn(f"uid={dn_value(value)},ou=people,dc=example")
    assert made.endswith(",ou=people,dc=example")
    assert normal_dn(made) == made


@pytest.mark.parametrize(
    "other",
    [
        "CN=Admins,OU=Groups,DC=example",
        "cn = admins , ou=groups,dc=example",
        "cn=\\61dmins,ou=groups,dc=example",
        "cn=\\41dmins,ou=groups,dc=example",
        "cn=admins,ou=\\67roups,dc=Example",
    ],
)
def test_spellings_of_a_dn_are_one(other: str) -> None:
    assert normal_dn(other) == normal_dn("cn=admins,ou=groups,dc=example")


@pytest.mark.parametrize(
    "other",
    [
        "cn=admins\\,ou=groups,dc=example",
        "cn=admins,dc=example",
        "cn=admins+ou=groups,dc=example",
        "uid=admins,ou=groups,dc=example",
        "cn=admin s,ou=groups,dc=example",
        "cn=\uff41dmins,ou=groups,dc=example",
    ],
)
def test_other_dns_are_others(other: str) -> None:
    assert normal_dn(other) != normal_dn("cn=admins,ou=groups,dc=example")


def test_parts_of_one_name_have_no_order() -> None:
    assert normal_dn("cn=a+uid=b,dc=x") == normal_dn("uid=b+cn=a,dc=x")


@pytest.mark.parametrize("text", ["", "admins", "=x", "cn=a,,dc=x", "cn=a,", "cn=a\\", "c n=a", "1=2", "cn=\\ff,dc=x"])
def test_what_is_no_dn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        normal_dn(text)
    with pytest.raises(BadConfiguration, match="no DN"):
        group_key(text)


def test_an_entry_is_within_its_parents_only() -> None:
    assert is_within("uid=a,OU=People,dc=x", "ou=people,dc=x")
    assert is_within("ou=people,dc=x", "ou=people,dc=x")
    assert not is_within("uid=a,xou=people,dc=x", "ou=people,dc=x")
    assert not is_within("uid=a\\,ou=people,dc=x", "ou=people,dc=x")


@pytest.mark.parametrize("login", ["", "  ", "a\0", "\0", "a\nb", "\ud800", "a\u202eb", "a\u200bb", "x" * 257])
def test_what_is_no_name_is_none(login: str) -> None:
    assert usable_login(login) is None


def test_a_domain_before_the_name_must_be_known() -> None:
    assert without_domain("CORP\\anna", ["corp"]) == "anna"
    assert without_domain("anna", ["corp"]) == "anna"
    assert without_domain("OTHER\\anna", ["corp"]) is None
    assert without_domain("CORP\\", ["corp"]) is None
    assert without_domain("x\\CORP\\anna", ["corp"]) is None


def test_guids_are_written_as_active_directory_shows_them() -> None:
    raw = bytes.fromhex("33221100554477668899aabbccddeeff")
    assert guid_text(raw) == "00112233-4455-6677-8899-aabbccddeeff"
    assert guid_bytes(guid_text(raw)) == raw
    with pytest.raises(ValueError, match="16"):
        guid_text(raw[:-1])
