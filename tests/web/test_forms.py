"""Forms of the pages: which ones are believed, and what a bad one changes (nothing)."""

import pytest

from support.server import EMAIL, PASSWORD, Server
from support.visitor import Visitor

HOME = "/settings/access-tokens"
GENERATE = f"{HOME}/generate"


@pytest.fixture
def visitor(server: Server) -> Visitor:
    return Visitor(server).sign_in()


def count(server: Server) -> int:
    return len(server.admin("GET", "/v4/apiAccessTokens").json["data"])


def generate_form(visitor: Visitor) -> dict[str, str]:
    return {**visitor.form(GENERATE, GENERATE), "lifetimeDays": "1"}


def test_a_form_without_its_token_is_refused(server: Server, visitor: Visitor) -> None:
    form, before = generate_form(visitor), count(server)
    del form["csrf"]
    assert visitor.post(GENERATE, form).status == 403
    assert count(server) == before


def test_a_form_with_another_sessions_token_is_refused(server: Server, visitor: Visitor) -> None:
    form, before = generate_form(visitor), count(server)
    form["csrf"] = generate_form(Visitor(server).sign_in())["csrf"]
    assert visitor.post(GENERATE, form).status == 403
    assert count(server) == before


def test_a_form_from_before_signing_in_is_refused_afterwards(server: Server) -> None:
    visitor = Visitor(server)
    old = visitor.form("/sign-in", "/sign-in")["csrf"]
    visitor.sign_in()
    assert visitor.post(GENERATE, {**generate_form(visitor), "csrf": old}).status == 403


def test_a_sign_in_without_our_form_is_refused(server: Server) -> None:
    assert Visitor(server).post("/sign-in", {"email": EMAIL, "password": PASSWORD}).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_form_sent_from_another_site_is_refused(server: Server, visitor: Visitor, headers: dict[str, str]) -> None:
    form, before = generate_form(visitor), count(server)
    assert visitor.post(GENERATE, form, headers).status == 403
    assert count(server) == before


def test_a_form_as_json_is_not_read(visitor: Visitor) -> None:
    form = generate_form(visitor)
    assert visitor.post(GENERATE, form, {"Content-Type": "text/plain"}).status == 415


def test_a_form_over_64_kib_is_refused(visitor: Visitor) -> None:
    assert visitor.post(GENERATE, {**generate_form(visitor), "description": "x" * 65_536}).status == 413


def test_a_cross_site_change_over_rest_by_cookie_is_refused(server: Server, visitor: Visitor) -> None:
    before = count(server)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        reply = rest_create(visitor, headers)
        assert reply.status == 403
        assert reply.error == "AccessControlException"
    assert count(server) == before


def test_a_change_over_rest_by_cookie_from_our_own_page_works(visitor: Visitor) -> None:
    assert rest_create(visitor, {"Sec-Fetch-Site": "same-origin"}).status == 201
    assert rest_create(visitor, {"Origin": visitor.server.url}).status == 201


def test_json_as_text_over_rest_by_cookie_is_refused(visitor: Visitor) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "text/plain"}
    assert rest_create(visitor, headers).status == 415


def rest_create(visitor: Visitor, headers: dict[str, str]):
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    sent = {"Content-Type": "application/json", "Cookie": cookie, **headers}
    return visitor.server.request("POST", "/v4/apiAccessTokens", raw=b'{"lifetimeSeconds":60}', headers=sent)


def test_pages_answer_other_methods_with_405(visitor: Visitor) -> None:
    reply = visitor.server.request("DELETE", HOME)
    assert reply.status == 405
    assert reply.headers["allow"] == "GET, HEAD"


def test_pages_are_never_kept_by_a_cache(visitor: Visitor) -> None:
    assert visitor.get(HOME).headers["cache-control"] == "no-store"


def test_pages_carry_a_strict_policy(visitor: Visitor) -> None:
    headers = visitor.get(HOME).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"


def test_only_the_named_files_are_served(server: Server) -> None:
    assert server.request("GET", "/static/gatepass.css").status == 200
    for name in ("vendored.json", "..%2f..%2fapp.py", "htmx.LICENSE", ".git", ""):
        assert server.request("GET", f"/static/{name}").status == 404
