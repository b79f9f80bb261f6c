"""Signing in elsewhere: the browser is sent to a provider, and only what it began itself is believed."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from support.server import PASSWORD, Server
from support.visitor import Visitor, forms_of
from support.with_provider import Company, toy_server

PEOPLE = {
    "s-anna": {"login": "anna", "password": "winter harbour", "groups": ["staff"], "email": "anna@example.com"},
    "s-zoe": {"login": "zoe", "password": "summer harbour", "groups": ["others"], "email": "zoe@example.com"},
}
HOME = "/settings/access-tokens"


def serve(folder: Path, server: str = "") -> Server:
    return toy_server(folder, Company(folder, PEOPLE), server=server)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("elsewhere")) as running:
        yield running


def begin(visitor: Visitor, provider: str = "corp", **fields: str) -> str:
    """Press the button; return the address that the browser is sent to."""
    reply = visitor.submit("/sign-in", f"/sign-in/{provider}", **fields)
    assert reply.status == 200, reply.body
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', reply.body.decode())
    assert found
    return unescape(found[1])


def state_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]


def come_back(visitor: Visitor, state: str, who: str = "s-anna", provider: str = "corp"):
    return visitor.get(f"/sign-in/{provider}/callback?state={state}&who={who}")


def test_the_page_has_a_button_for_each_provider_and_takes_any_name(server: Server) -> None:
    reply = Visitor(server).get("/sign-in")
    assert forms_of(reply).keys() == {"/sign-in", "/sign-in/corp", "/sign-in/posting"}
    assert b"Sign in with Company &amp; Co" in reply.body
    assert b"User name or e-mail address" in reply.body


def test_the_browser_is_sent_to_the_provider_with_our_address_for_the_answer(server: Server) -> None:
    url = begin(Visitor(server))
    assert url.startswith("https://toy.example.com/?state=")
    assert parse_qs(urlsplit(url).query)["to"] == [f"{server.url}/sign-in/corp/callback"]


def test_whoever_comes_back_is_signed_in_under_a_new_cookie(server: Server) -> None:
    visitor = Visitor(server)
    state = state_of(begin(visitor, next="/settings/profile"))
    before = visitor.cookies["gatepass"]
    reply = come_back(visitor, state)
    assert (reply.status, reply.headers["location"]) == (303, "/settings/profile")
    assert visitor.cookies["gatepass"] != before
    shown = visitor.get("/settings/profile").body
    assert b"anna@example.com" in shown
    assert b"Current password" not in shown


def test_an_answer_is_read_once(server: Server) -> None:
    visitor = Visitor(server)
    state = state_of(begin(visitor))
    flow = visitor.cookies["gatepass-corp"]
    assert come_back(visitor, state).status == 303
    assert not visitor.cookies["gatepass-corp"]
    assert come_back(visitor, state).status == 401
    visitor.cookies["gatepass-corp"] = flow
    assert come_back(visitor, state).status == 401


def test_an_answer_that_another_browser_began_signs_nobody_in(server: Server) -> None:
    attacker, victim = Visitor(server), Visitor(server)
    state = state_of(begin(attacker))
    for begins in (False, True):
        if begins:
            begin(victim)
        reply = come_back(victim, state)
        assert reply.status == 401
        assert victim.get(HOME).status == 303


def test_a_flow_of_one_provider_is_none_of_another(server: Server) -> None:
    visitor = Visitor(server)
    state = state_of(begin(visitor, "posting"))
    visitor.cookies["gatepass-corp"] = visitor.cookies["gatepass-posting"]
    assert come_back(visitor, state).status == 401


@pytest.mark.parametrize("change", ["cut", "flip", "unsigned", "garbage", "empty"])
def test_a_flow_that_we_did_not_sign_is_none(server: Server, change: str) -> None:
    visitor = Visitor(server)
    state = state_of(begin(visitor))
    flow = visitor.cookies["gatepass-corp"]
    visitor.cookies["gatepass-corp"] = {
        "cut": flow[:-2],
        "flip": flow[:-1] + ("0" if flow[-1] != "0" else "1"),
        "unsigned": flow.partition(".")[0] + ".",
        "garbage": "é.%%",
        "empty": ".",
    }[change]
    assert come_back(visitor, state).status == 401


def test_all_refusals_look_alike(server: Server) -> None:
    pages = set()
    for who, spoil in (("s-zoe", False), ("s-nobody", False), ("s-anna", True)):
        visitor = Visitor(server)
        state = state_of(begin(visitor))
        reply = come_back(visitor, "x" + state if spoil else state, who)
        assert reply.status == 401
        pages.add(re.sub(rb'name="csrf" value="[0-9a-f]+"|content="[^"]*Z"', b"", reply.body))
    assert len(pages) == 1


def test_an_answer_may_be_posted_from_elsewhere(server: Server) -> None:
    visitor = Visitor(server)
    state = state_of(begin(visitor, "posting"))
    reply = visitor.post(
        "/sign-in/posting/callback",
        {"state": state, "who": "s-zoe"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    )
    assert reply.status == 303
    assert visitor.get(HOME).status == 200


def test_a_posted_answer_that_nobody_began_leaves_whoever_is_signed_in_alone(server: Server) -> None:
    visitor = Visitor(server).sign_in()
    session = visitor.cookies["gatepass"]
    stranger = Visitor(server)  # what a cross-site form reaches us with: no Lax cookie
    reply = stranger.post("/sign-in/corp/callback", {"state": "x"}, {"Sec-Fetch-Site": "cross-site"})
    assert reply.status == 401
    assert "gatepass" not in stranger.cookies
    visitor.cookies["gatepass"] = session
    assert visitor.get(HOME).status == 200


def test_a_button_pressed_by_another_site_begins_nothing(server: Server) -> None:
    visitor = Visitor(server)
    form = visitor.form("/sign-in", "/sign-in/corp")
    assert visitor.post("/sign-in/corp", form, {"Sec-Fetch-Site": "cross-site"}).status == 403
    assert visitor.post("/sign-in/corp", {**form, "csrf": "0" * 64}).status == 403
    assert "gatepass-corp" not in visitor.cookies


def test_a_provider_that_is_not_there_is_a_page_that_is_not_there(server: Server) -> None:
    visitor = Visitor(server)
    form = visitor.form("/sign-in", "/sign-in/corp")
    assert visitor.post("/sign-in/nothing", form).status == 404
    assert visitor.get("/sign-in/nothing/callback").status == 404
    assert visitor.get("/sign-in/corp").status == 405


def test_the_way_back_never_leads_to_another_site(server: Server) -> None:
    for target in ("//evil.example", "https://evil.example/settings/", "/settings/\\evil"):
        visitor = Visitor(server)
        assert come_back(visitor, state_of(begin(visitor, next=target))).headers["location"] == HOME


def test_the_password_of_a_directory_signs_in_on_the_page_and_generates_by_rest(server: Server) -> None:
    visitor = Visitor(server).sign_in("anna", "winter harbour")
    assert visitor.get(HOME).status == 200
    server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
    value, _ = server.create_token(basic=("anna", "winter harbour"))
    assert server.request("GET", "/v4/people/current", bearer=value).json["email"] == "anna@example.com"


def test_an_outage_is_503_on_the_page_and_by_rest(tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        visitor = Visitor(server)
        state = state_of(begin(visitor))
        (tmp_path / "people.json").unlink()
        assert come_back(visitor, state).status == 503
        assert visitor.submit("/sign-in", "/sign-in", email="anna", password="winter harbour").status == 503
        reply = server.request("GET", "/v4/people/current", basic=("anna", "winter harbour"))
        assert (reply.status, reply.error) == (503, "ServiceUnavailableException")
        Visitor(server).sign_in(password=PASSWORD)


def test_the_cookie_of_an_https_site_is_a_host_cookie(tmp_path: Path) -> None:
    with serve(tmp_path, 'public_url = "https://tokens.example.com"') as server:
        for provider, same_site in (("corp", "lax"), ("posting", "none")):
            visitor = Visitor(server)
            form = visitor.form("/sign-in", f"/sign-in/{provider}")
            reply = visitor.post(f"/sign-in/{provider}", form)
            line = next(each for each in reply.headers.get_all("set-cookie") if "-corp" in each or "-posting" in each)
            assert line.startswith(f"__Host-gatepass-{provider}=")
            assert {"HttpOnly", "Secure", f"SameSite={same_site}", "Max-Age=600", "Path=/"} <= set(line.split("; "))
