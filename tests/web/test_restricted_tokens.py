"""Restricting a token on its page: the fields, what comes back, what the list and the audit log say."""

import html
import re

import pytest

from support.server import PASSWORD, Server
from support.visitor import Visitor, forms_of

HOME = "/settings/access-tokens"
GENERATE = f"{HOME}/generate"
GIVEN = {"scopes": "jobs:run  *:read ", "allowedNetworks": "10.0.0.0/8 2001:db8::/32", "audience": "orders gatepass"}


@pytest.fixture
def visitor(server: Server) -> Visitor:
    return Visitor(server).sign_in()


def generate(visitor: Visitor, **fields: str) -> str:
    return html.unescape(visitor.submit(GENERATE, GENERATE, **{"lifetimeDays": "30", **fields}).body.decode())


def made(server: Server, prefix: str) -> list[dict]:
    return server.admin("GET", f"/v4/apiAccessTokens?q={prefix}").json["data"]


def details_of(page: str) -> str:
    return re.search(r"<details class=\"more\"([^>]*)>", page)[1].strip()


def test_the_fields_restrict_the_token(server: Server, visitor: Visitor) -> None:
    page = generate(visitor, description="page-restricted", **GIVEN)
    (found,) = made(server, "page-restricted")
    assert found["scopes"] == ["jobs:run", "*:read"]
    assert found["allowedNetworks"] == ["10.0.0.0/8", "2001:db8::/32"]
    assert found["audience"] == ["orders", "gatepass"]
    for word in ("jobs:run", "*:read", "10.0.0.0/8", "2001:db8::/32", "orders"):
        assert f"<code>{word}</code>" in page


def test_fields_left_empty_restrict_nothing(server: Server, visitor: Visitor) -> None:
    page = generate(visitor, description="page-full", scopes="", allowedNetworks=" ", audience="")
    (found,) = made(server, "page-full")
    assert [found[name] for name in ("scopes", "allowedNetworks", "audience")] == [None] * 3
    assert "Full access" in page


def test_the_fields_are_folded_away_until_they_are_used(visitor: Visitor) -> None:
    assert details_of(visitor.get(GENERATE).body.decode()) == ""
    assert details_of(generate(visitor, lifetimeDays="0")) == ""
    assert details_of(generate(visitor, lifetimeDays="0", scopes="jobs:run")) == "open"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("scopes", "jobs", "'jobs' is not a scope"),
        ("scopes", "jobs:run, jobs:read", "'jobs:run,' is not a scope"),
        ("allowedNetworks", "10.1.2.3/8", "'10.1.2.3/8' is not a network"),
        ("allowedNetworks", "::ffff:10.0.0.0/104", "write an IPv4 network as such"),
        ("audience", "é", "is not a name"),
    ],
)
def test_an_error_stands_at_its_field_and_everything_typed_is_kept(
    server: Server, visitor: Visitor, field: str, value: str, reason: str
) -> None:
    typed = {**GIVEN, "description": "not-made", "lifetimeDays": "12", field: value}
    page = visitor.submit(GENERATE, GENERATE, **typed)
    assert page.status == 400
    text = html.unescape(page.body.decode())
    (focused,) = re.findall(r"<input[^>]* autofocus[^>]*>", text)
    assert f'name="{field}"' in focused
    assert f'aria-describedby="{field}-hint {field}-error"' in focused
    assert reason in re.search(rf'<p class="error" id="{field}-error">(.*?)</p>', text)[1]
    assert 'role="alert"' not in text
    assert details_of(text) == "open"
    form = forms_of(page)[GENERATE]
    assert {name: form[name] for name in typed} == typed
    assert made(server, "not-made") == []


def test_a_wrong_password_keeps_the_restrictions(own_server: Server) -> None:
    import apsw

    visitor = Visitor(own_server).sign_in()
    form = {**visitor.form(GENERATE, GENERATE), "lifetimeDays": "3", "description": "late", **GIVEN}
    database = apsw.Connection(str(own_server.data / "gatepass.db"))
    database.execute("UPDATE sessions SET proven_at = proven_at - 16 * 60000")
    database.close()
    page = visitor.post(GENERATE, {**form, "password": "wrong"})
    assert {name: forms_of(page)[GENERATE][name] for name in GIVEN} == GIVEN
    visitor.post(GENERATE, {**form, "password": PASSWORD})
    (found,) = made(own_server, "late")
    assert found["scopes"] == ["jobs:run", "*:read"]


def test_sending_the_form_again_with_other_restrictions_is_no_retry(server: Server, visitor: Visitor) -> None:
    form = {**visitor.form(GENERATE, GENERATE), "lifetimeDays": "3", "description": "twice", "scopes": "jobs:run"}
    assert visitor.post(GENERATE, form).status == 200
    assert visitor.post(GENERATE, {**form, "scopes": "jobs:*"}).status == 409
    assert len(made(server, "twice")) == 1


def test_the_list_says_briefly_what_a_token_may_do_and_has_all_of_it_in_the_row(
    server: Server, visitor: Visitor
) -> None:
    server.create_token(description="listed-plain")
    server.create_token(
        description="listed-narrow", scopes=[f"jobs:do{number}" for number in range(5)], allowedNetworks=["10.0.0.0/8"]
    )
    server.create_token(description="listed-none", scopes=[], audience=["orders"])
    page = html.unescape(visitor.get(f"{HOME}?q=listed").body.decode())
    assert '<span class="sub">Full access</span>' in page
    summaries = re.findall(r'<summary class="sub">(.*?)</summary>', page)
    assert summaries == ["No scopes · for orders", "jobs:do0, jobs:do1, jobs:do2 and 2 more · from 10.0.0.0/8"]
    assert "<code>jobs:do4</code>" in page
    assert "Nothing that takes a scope" in page


def test_the_audit_page_says_what_a_token_was_restricted_to(server: Server, visitor: Visitor) -> None:
    server.create_token(description="audited", scopes=["jobs:run"], allowedNetworks=["10.0.0.0/8"], audience=["orders"])
    page = html.unescape(visitor.get("/admin/audit?kind=tokens").body.decode())
    assert "jobs:run · from 10.0.0.0/8 · for orders" in page


def test_markup_in_the_name_of_a_service_is_shown_as_text(server: Server, visitor: Visitor) -> None:
    server.create_token(description="marked", audience=["<b>x</b>"])
    for address in (f"{HOME}?q=marked", "/admin/audit?kind=tokens"):
        page = visitor.get(address).body.decode()
        assert "<b>x</b>" not in page
        assert "&lt;b&gt;x&lt;/b&gt;" in page
