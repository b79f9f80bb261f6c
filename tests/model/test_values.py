"""The smaller values: secrets, ids, names, passwords, texts, settings, sessions, instants."""

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepass.errors import InvalidInput
from gatepass.model.instant import from_milliseconds, iso, to_milliseconds, truncate
from gatepass.model.secret import Secret, generate_handle, generate_id, generate_key, generate_password, generate_secret
from gatepass.model.settings import Settings, parse_setting
from gatepass.model.text import shorten
from gatepass.model.token import check_description, check_lifetime_seconds
from gatepass.model.user import check_email, check_name, check_new_password, email_key, normalise_password
from gatepass.testing.fakes import START
from gatepass.testing.records import make_session, make_user


def test_a_secret_is_not_shown_by_accident() -> None:
    secret = Secret("hunter2")
    for shown in (repr(secret), str(secret), repr([secret]), repr({"a": secret})):
        assert "hunter2" not in shown
    with pytest.raises(TypeError):
        f"{secret}"
    with pytest.raises(TypeError):
        json.dumps(secret)


@pytest.mark.parametrize(
    "careless",
    [
        lambda secret: secret == "hunter2",
        lambda secret: secret == Secret("hunter2"),
        lambda secret: {secret},
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        iter,
        len,
    ],
)
def test_a_secret_cannot_be_compared_copied_or_walked(careless) -> None:
    with pytest.raises(TypeError):
        careless(Secret("hunter2"))


def test_what_is_random_has_the_size_that_is_promised() -> None:
    assert len(generate_secret().reveal()) == 32
    assert len(generate_handle().reveal()) == 43
    assert len(generate_password().reveal()) == 20
    assert len(generate_key()) == 32


def test_ids_of_one_millisecond_sort_as_they_were_made() -> None:
    alone = START + timedelta(days=1)  # at START other tests count too
    ids = [generate_id(alone) for _ in range(1000)]
    assert ids == sorted(ids)
    assert {each.version for each in ids} == {7}
    assert {each.variant for each in ids} == {"specified in RFC 4122"}


def test_ids_sort_as_their_instants() -> None:
    assert generate_id(START) < generate_id(START + timedelta(milliseconds=1))


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_instants_are_kept_to_the_millisecond(instant: datetime) -> None:
    assert from_milliseconds(to_milliseconds(instant)) == truncate(instant)
    assert datetime.fromisoformat(iso(instant)) == truncate(instant)
    assert iso(instant).endswith("Z")


@pytest.mark.parametrize("email", ["a@b", "admin@localhost", "First.Last+tag@Example-Site.co.uk", "x" * 64 + "@b.c"])
def test_an_ascii_address_is_a_name(email: str) -> None:
    assert check_email(email) == email


@pytest.mark.parametrize(
    "email",
    [
        "",
        "a",
        "@b",
        "a@",
        "a b@c",
        "a@b c",
        "a@b\n",
        "é@b.c",
        "a@é.c",
        "a@@b",
        "a@b@c",
        "x" * 65 + "@b",
        "a@" + "b" * 254,
        "a:b@c",
        "a@-b",
        "a@b-",
        '"a"@b',
    ],
)
def test_anything_else_is_no_name(email: str) -> None:
    with pytest.raises(InvalidInput, match="email: must be"):
        check_email(email)


def test_names_that_are_not_ascii_are_never_folded_into_somebodys() -> None:
    assert email_key("ADMIN@X") == "admin@x"
    assert email_key("\u212aate@x") == "\u212aate@x"


@pytest.mark.parametrize("password", ["x" * 15, "x" * 1024, "é" * 8, "correct horse battery staple", " " * 15])
def test_a_password_of_15_to_1024_bytes_may_be_chosen(password: str) -> None:
    assert check_new_password(password, common=frozenset()) == password.encode()


@pytest.mark.parametrize("password", ["", "x" * 14, "x" * 1025, "é" * 7, "é" * 513, "\ud800" * 20])
def test_a_password_outside_of_that_is_refused(password: str) -> None:
    with pytest.raises(InvalidInput, match="password: must"):
        check_new_password(password, common=frozenset())


def test_text_far_too_long_for_a_password_is_refused_before_it_is_brought_into_one_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Normalising takes a time that grows with the square of a run of combining marks."""
    never = SimpleNamespace(normalize=lambda *_: pytest.fail("it was normalised"))
    monkeypatch.setattr("gatepass.model.user.unicodedata", never)
    marks = "a" + "\u0301\u0316" * 16_384
    with pytest.raises(ValueError, match="too long"):
        normalise_password(marks)
    with pytest.raises(InvalidInput, match="password: must have 15 to 1024 bytes"):
        check_new_password(marks, common=frozenset())


def test_a_common_password_is_refused_in_any_case() -> None:
    with pytest.raises(InvalidInput, match="commonest"):
        check_new_password("QWERTYUIOPasdfgh", common=frozenset({"qwertyuiopasdfgh"}))


def test_a_password_may_hold_a_common_one() -> None:
    assert check_new_password("qwertyuiopasdfgh and more", common=frozenset({"qwertyuiopasdfgh"}))


def test_passwords_are_compared_in_one_unicode_form() -> None:
    composed, decomposed = "é" * 10, "e\u0301" * 10
    assert check_new_password(composed, common=frozenset()) == check_new_password(decomposed, common=frozenset())


@pytest.mark.parametrize("text", ["", "x" * 200, "naïve 日本語 🙂", "👩\u200d👩\u200d👧", "<script>", "' OR 1=1"])
def test_a_description_of_one_line_may_be_kept(text: str) -> None:
    assert check_description(text) == text


@pytest.mark.parametrize(
    "text", ["x" * 201, "a\nb", "a\x00", "\x1b[31m", "a\x7f", "a\u2028b", "\u202eabc", "\ud800", "a\u200bb", "\x9b"]
)
def test_a_description_that_could_deceive_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="description: must"):
        check_description(text)
    if len(text) <= 200:
        with pytest.raises(InvalidInput, match="name: must"):
            check_name(text)


def test_no_description_is_fine() -> None:
    assert check_description(None) is None
    assert check_name(None) is None


def test_text_of_strangers_is_made_harmless_for_keeping() -> None:
    assert shorten("Mozilla\x1b[0m\n" + "x" * 300, most=20) == "Mozilla [0m xxxxxxxx"
    assert shorten(None, most=20) is None


@pytest.mark.parametrize("seconds", [1, 60, 3_153_600_000, -1])
def test_a_lifetime_in_range_may_be_asked_for(seconds: int) -> None:
    assert check_lifetime_seconds(seconds) == seconds


@pytest.mark.parametrize("seconds", [0, -2, 3_153_600_001, 10**15, -(10**15)])
def test_a_lifetime_out_of_range_is_refused(seconds: int) -> None:
    with pytest.raises(InvalidInput, match="lifetimeSeconds: must be"):
        check_lifetime_seconds(seconds)


def test_settings_have_their_public_names_and_defaults() -> None:
    assert Settings().public() == {
        "apiAccessTokens.enabled": False,
        "apiAccessTokens.usersMayGenerate": False,
        "apiAccessTokens.maximumLifetimeDays": -1,
        "tokens.retentionDays": 400,
        "verifiers.boundSeconds": 5,
        "verifiers.graceSeconds": 0,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("apiAccessTokens.enabled", True),
        ("apiAccessTokens.maximumLifetimeDays", -1),
        ("apiAccessTokens.maximumLifetimeDays", 1),
        ("apiAccessTokens.maximumLifetimeDays", 36_500),
        ("tokens.retentionDays", 1),
    ],
)
def test_a_setting_in_range_is_taken(name: str, value: object) -> None:
    assert Settings().changed({name: value}).public()[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("apiAccessTokens.enabled", 1),
        ("apiAccessTokens.enabled", "true"),
        ("apiAccessTokens.enabled", None),
        ("apiAccessTokens.maximumLifetimeDays", 0),
        ("apiAccessTokens.maximumLifetimeDays", -2),
        ("apiAccessTokens.maximumLifetimeDays", 36_501),
        ("apiAccessTokens.maximumLifetimeDays", True),
        ("apiAccessTokens.maximumLifetimeDays", 1.0),
        ("apiAccessTokens.maximumLifetimeDays", "7"),
        ("tokens.retentionDays", -1),
        ("nobody.knows", 1),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        Settings().changed({"apiAccessTokens.usersMayGenerate": True, name: value})
    assert caught.value.field == name


def test_settings_typed_at_a_terminal_are_read() -> None:
    assert parse_setting("x", "True") is True
    assert parse_setting("x", "off") is False
    assert parse_setting("x", "-1") == -1
    with pytest.raises(InvalidInput):
        parse_setting("x", "maybe")


@pytest.mark.parametrize(("minutes", "is_over"), [(29, False), (30, True), (12 * 60, True)])
def test_a_session_idles_out(minutes: int, is_over: bool) -> None:
    assert make_session(make_user("a@b")).is_over(START + timedelta(minutes=minutes)) is is_over


def test_a_busy_session_ends_after_12_hours() -> None:
    session = make_session(make_user("a@b"), seen_at=START + timedelta(hours=12))
    assert not session.is_over(START + timedelta(hours=11, minutes=59))
    assert session.is_over(START + timedelta(hours=12))


def test_a_sign_in_is_fresh_for_15_minutes() -> None:
    session = make_session(make_user("a@b"))
    assert session.is_fresh(START + timedelta(minutes=14, seconds=59))
    assert not session.is_fresh(START + timedelta(minutes=15))
