"""Moving an account to a provider on the pages: the password here, then a sign-in there by the same browser."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from support.server import EMAIL, PASSWORD, Reply, Server
from support.visitor import Visitor, forms_of
from support.with_provider import Company, toy_server

PROFILE = "/settings/profile"
MOVE = f"{PROFILE}/move/corp"
CONFIRM = f"{MOVE}/confirm"
NAMES = ("anna", "bea", "cleo", "dora", "eve", "fay", "gina")
PEOPLE = {f"s-{name}": {"login": name, "password": f"{name} there", "groups": ["staff"]} for name in NAMES}
PEOPLE["s-zoe"] = {"login": "zoe", "password": "zoe there", "groups": []}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("moving")
    with toy_server(folder, Company(folder, PEOPLE)) as running:
        running.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
        yield running


def local(server: Server, name: str) -> Visitor:
    """Return the browser of somebody who is signed in with a password kept here."""
    server.create_person(f"{name}@example.com")
    return Visitor(server).sign_in(f"{name}@example.com")


def begin(visitor: Visitor, provider: str = "corp", password: str = PASSWORD) -> Reply:
    move = f"{PROFILE}/move/{provider}"
    return visitor.submit(move, move, password=password)


def state_of(reply: Reply) -> str:
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', reply.body.decode())
    assert found, reply.body
    return parse_qs(urlsplit(unescape(found[1])).query)["state"][0]


def come_back(visitor: Visitor, state: str, who: str, provider: str = "corp") -> Reply:
    return visitor.get(f"/sign-in/{provider}/callback?state={state}&who=s-{who}")


def person(server: Server, **how: object) -> dict | None:
    reply = server.request("GET", "/v4/people/current", **how)
    return reply.json if reply.status == 200 else None


def where(server: Server, name: str) -> str:
    """Return where somebody signs in by now."""
    found = server.admin("GET", f"/v4/people?q={name}@").json["data"]
    return found[0]["provider"]


def test_somebody_moves_and_is_the_same_person_there(server: Server) -> None:
    visitor = local(server, "one")
    token, _ = server.create_token(basic=("one@example.com", PASSWORD))
    before = person(server, bearer=token)
    assert MOVE.encode() in visitor.get(PROFILE).body
    reply = come_back(visitor, state_of(begin(visitor)), "anna")
    assert (reply.status, reply.headers["location"]) == (303, CONFIRM)
    assert where(server, "one") == "local"
    shown = visitor.get(CONFIRM).body
    assert b"anna" in shown
    assert b"one@example.com" in shown
    cookie = visitor.cookies["gatepass"]
    reply = visitor.submit(CONFIRM, CONFIRM)
    assert (reply.status, reply.headers["location"]) == (303, f"{PROFILE}?done=moved")
    assert visitor.cookies["gatepass"] != cookie
    assert b"From now on you sign in there" in visitor.get(f"{PROFILE}?done=moved").body
    assert b"Current password" not in visitor.get(PROFILE).body
    after = person(server, bearer=token)
    assert after == before | {"provider": "corp", "email": "anna@corp", "updatedAt": after["updatedAt"]} | {
        "lastLoginTime": after["lastLoginTime"]
    }
    assert person(server, basic=("one@example.com", PASSWORD)) is None
    assert person(server, basic=("anna", "anna there"))["id"] == before["id"]


def test_the_wrong_password_here_leads_nowhere(server: Server) -> None:
    visitor = local(server, "two")
    reply = begin(visitor, password="wrong")
    assert reply.status == 400
    assert b"not your password" in reply.body
    assert "gatepass-corp" not in visitor.cookies


def test_an_answer_that_is_posted_from_elsewhere_comes_without_our_session_and_is_confirmed_in_it(
    server: Server,
) -> None:
    visitor = local(server, "three")
    state = state_of(begin(visitor, "posting"))
    session = visitor.cookies.pop("gatepass")  # as browsers do with a Lax cookie
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "null"}
    reply = visitor.post("/sign-in/posting/callback", {"state": state, "who": "s-bea"}, headers)
    confirm = f"{PROFILE}/move/posting/confirm"
    assert (reply.status, reply.headers["location"]) == (303, confirm)
    assert "gatepass" not in visitor.cookies
    visitor.cookies["gatepass"] = session
    assert visitor.submit(confirm, confirm).status == 303
    assert person(server, basic=("three@example.com", PASSWORD)) is None


def test_a_sign_in_that_was_begun_as_one_moves_nobody(server: Server) -> None:
    visitor = local(server, "four")
    csrf = visitor.form(PROFILE, "/sign-out")["csrf"]
    state = state_of(visitor.post("/sign-in/corp", {"csrf": csrf}))
    assert come_back(visitor, state, "cleo").status == 303
    assert where(server, "four") == "local"
    assert b"cleo@corp" in visitor.get(PROFILE).body


def test_an_answer_to_a_move_signs_nobody_in(server: Server) -> None:
    visitor = local(server, "five")
    state = state_of(begin(visitor))
    del visitor.cookies["gatepass"]
    come_back(visitor, state, "dora")
    assert visitor.get(PROFILE).status == 303
    assert server.admin("GET", "/v4/people?q=dora").json["data"] == []


def test_an_answer_that_another_browser_began_moves_nobody(server: Server) -> None:
    attacker, victim = local(server, "six"), local(server, "seven")
    state = state_of(begin(attacker))
    for begins in (False, True):
        if begins:
            begin(victim)
        reply = come_back(victim, state, "dora")
        assert reply.status == 401 or reply.headers["location"] == f"{MOVE}?failed=there"
        assert forms_of(victim.get(CONFIRM)).get(CONFIRM) is None
    assert b"Nothing was changed" in victim.get(f"{MOVE}?failed=there").body
    assert where(server, "seven") == "local"


def test_what_one_session_came_back_with_moves_no_other(server: Server) -> None:
    attacker, victim = local(server, "eight"), local(server, "nine")
    come_back(attacker, state_of(begin(attacker)), "dora")
    victim.cookies["gatepass-corp--found"] = attacker.cookies["gatepass-corp--found"]
    for reply in (
        victim.get(CONFIRM),
        victim.post(CONFIRM, {"csrf": victim.form(PROFILE, "/sign-out")["csrf"]}),
    ):
        assert (reply.status, reply.headers["location"]) == (303, f"{MOVE}?failed=late")
    assert where(server, "nine") == "local"


@pytest.mark.parametrize("change", ["flip", "of the flow", "garbage"])
def test_what_we_did_not_seal_for_this_is_nothing(server: Server, change: str) -> None:
    visitor = local(server, f"sealed-{change.replace(' ', '-')}")
    reply = begin(visitor)
    flow = visitor.cookies["gatepass-corp"]
    come_back(visitor, state_of(reply), "dora")
    found = visitor.cookies["gatepass-corp--found"]
    visitor.cookies["gatepass-corp--found"] = {
        "flip": ("A" if found[4] != "A" else "B").join((found[:4], found[5:])),
        "of the flow": flow,
        "garbage": "é.%%",
    }[change]
    assert visitor.get(CONFIRM).headers["location"] == f"{MOVE}?failed=late"


def test_what_the_provider_said_is_taken_once(server: Server) -> None:
    visitor = local(server, "ten")
    state = state_of(begin(visitor))
    flow = visitor.cookies["gatepass-corp"]
    come_back(visitor, state, "eve")
    found = visitor.cookies["gatepass-corp--found"]
    assert visitor.submit(CONFIRM, CONFIRM).status == 303
    assert not visitor.cookies["gatepass-corp--found"]
    other = Visitor(server)
    other.cookies |= {"gatepass-corp": flow, "gatepass-corp--found": found}
    come_back(other, state, "eve")
    assert other.get(CONFIRM).status == 303
    assert other.get(PROFILE).status == 303


def test_who_has_an_account_already_or_may_not_sign_in_there_is_told_so(server: Server) -> None:
    assert server.create_token(basic=("fay", "fay there"))
    for who, words in (("fay", b"has an account here already"), ("zoe", b"none of the groups")):
        visitor = local(server, f"against-{who}")
        come_back(visitor, state_of(begin(visitor)), who)
        reply = visitor.submit(CONFIRM, CONFIRM)
        assert reply.status == 409
        assert words in reply.body
        assert where(server, f"against-{who}") == "local"
        assert visitor.get(PROFILE).status == 200


def test_the_only_administrator_stays_here(server: Server) -> None:
    visitor = Visitor(server).sign_in()
    come_back(visitor, state_of(begin(visitor)), "gina")
    reply = visitor.submit(CONFIRM, CONFIRM)
    assert reply.status == 409
    assert b"last administrator with a password here" in reply.body
    assert person(server, basic=(EMAIL, PASSWORD))["provider"] == "local"


def test_people_from_elsewhere_and_other_providers_are_not_offered_it(server: Server) -> None:
    visitor = Visitor(server).sign_in("gina", "gina there")
    assert b"/move/" not in visitor.get(PROFILE).body
    assert visitor.get(MOVE).status == 404
    assert local(server, "eleven").get(f"{PROFILE}/move/nowhere").status == 404
