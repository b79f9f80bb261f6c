"""The cookie of a browser that was signed in before: the right password works there while others guess at it."""

import re
from contextlib import closing
from http.cookies import SimpleCookie
from pathlib import Path

import apsw
import pytest

from gatepass.model.secret import generate_handle
from support.server import EMAIL, PASSWORD, Reply, Server, make_installation
from support.visitor import Visitor
from support.with_provider import Company, toy_server

COOKIE = "gatepass_device"
LIMITS = {f"GATEPASS_SIGN_IN__FREE_FAILURES_PER_{name}": "5" for name in ("ACCOUNT", "ADDRESS")}
PROFILE, GENERATE = "/settings/profile", "/settings/access-tokens/generate"
NEW = "another good sentence"
BOB = "bob@example.com"


@pytest.fixture
def strict(tmp_path: Path):
    make_installation(tmp_path / "data")
    with Server(tmp_path / "data", env=LIMITS) as server:
        yield server


def change(server: Server, statement: str) -> None:
    with closing(apsw.Connection(str(server.data / "gatepass.db"))) as database:
        database.execute(statement)


def attack(server: Server, email: str = EMAIL) -> None:
    """Guess at a password from an address of everybody's, until nobody's turn comes for ten minutes."""
    for _ in range(5):
        assert server.request("GET", "/v4/people/current", basic=(email, "wrong")).status == 401
    change(server, "UPDATE failures SET at = at + 600000")


def try_to_sign_in(visitor: Visitor, email: str = EMAIL, password: str = PASSWORD) -> Reply:
    return visitor.submit("/sign-in", "/sign-in", email=email, password=password)


def known(server: Server, email: str = EMAIL, password: str = PASSWORD) -> Visitor:
    """Return a browser where somebody was signed in, and is no more."""
    visitor = Visitor(server).sign_in(email, password)
    visitor.sign_out()
    return visitor


def with_cookie(server: Server, value: str) -> Visitor:
    visitor = Visitor(server)
    visitor.cookies[COOKIE] = value
    return visitor


def test_during_an_attack_the_right_password_works_20_times_of_20_where_it_worked_before(strict: Server) -> None:
    victim = known(strict)
    attack(strict)
    seen = []
    for _ in range(20):
        seen.append(try_to_sign_in(victim).status)
        victim.sign_out()
        assert strict.request("GET", "/v4/people/current", basic=(EMAIL, "wrong")).status == 429
    assert seen == [303] * 20
    assert try_to_sign_in(Visitor(strict)).status == 429


def test_the_cookie_outlives_sign_out_and_a_restart_but_is_no_session(strict: Server) -> None:
    victim = known(strict)
    only = with_cookie(strict, victim.cookies[COOKIE])
    assert only.get(PROFILE).status == 303
    attack(strict)
    strict.kill()
    strict.start()
    assert try_to_sign_in(only).status == 303


def test_guesses_with_a_cookie_are_five_an_hour_and_not_counted_for_others(strict: Server) -> None:
    thief = known(strict)
    assert [try_to_sign_in(thief, password="wrong").status for _ in range(5)] == [401] * 5
    assert strict.request("GET", "/v4/people/current", basic=(EMAIL, PASSWORD)).status == 200
    attack(strict)
    assert try_to_sign_in(thief, password="wrong").status == 429
    assert try_to_sign_in(thief).status == 429


def test_guesses_with_a_cookie_are_five_also_while_the_account_is_throttled(strict: Server) -> None:
    thief = known(strict)
    attack(strict)
    assert [try_to_sign_in(thief, password="wrong").status for _ in range(7)] == [401] * 5 + [429] * 2
    strict.kill()
    strict.start()
    assert try_to_sign_in(thief, password="wrong").status == 429


def test_guesses_with_a_cookie_count_together_wherever_the_password_is_asked_for(strict: Server) -> None:
    thief = Visitor(strict).sign_in()
    attack(strict)
    change(strict, "UPDATE sessions SET proven_at = proven_at - 900000")
    guess = {"current": "wrong", "new": NEW, "again": NEW}
    assert [thief.submit(PROFILE, f"{PROFILE}/password", **guess).status for _ in range(3)] == [400] * 3
    for _ in range(2):
        page = thief.submit(GENERATE, GENERATE, lifetimeDays="1", password="wrong").body.lower()
        assert b"that is not your password" in page
    assert b"too many tries" in thief.submit(GENERATE, GENERATE, lifetimeDays="1", password="wrong").body.lower()
    assert thief.submit(PROFILE, f"{PROFILE}/password", **guess).status == 429


def test_somebody_who_is_signed_in_can_generate_during_an_attack(strict: Server) -> None:
    victim = Visitor(strict).sign_in()
    attack(strict)
    change(strict, "UPDATE sessions SET proven_at = proven_at - 900000")
    assert b"gpat_" in victim.submit(GENERATE, GENERATE, lifetimeDays="1", password=PASSWORD).body


def test_somebody_who_is_signed_in_can_move_to_a_provider_during_an_attack(tmp_path: Path) -> None:
    people = {"s-bob": {"login": "bob", "password": "bob there", "groups": ["staff"]}}
    with toy_server(tmp_path, Company(tmp_path, people), env=LIMITS) as server:
        server.create_person(BOB)
        victim, page = Visitor(server).sign_in(BOB), f"{PROFILE}/move/corp"
        attack(server, BOB)
        assert b"toy.example.com" in victim.submit(page, page, password=PASSWORD).body
        del victim.cookies[COOKIE]
        assert victim.submit(page, page, password=PASSWORD).status == 429


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
@pytest.mark.parametrize("cookie", ["forged", "bob's", "no base64 at all", "é", "x" * 5000, None])
def test_without_a_cookie_of_this_person_the_answer_is_the_same_429(strict: Server, email: str, cookie: str) -> None:
    strict.create_person(BOB)
    known(strict)
    values = {"forged": generate_handle().reveal(), "bob's": known(strict, BOB).cookies[COOKIE]}
    attack(strict, email)

    def told(visitor: Visitor) -> tuple[object, ...]:
        form = visitor.form("/sign-in", "/sign-in")
        reply = visitor.post("/sign-in", {**form, "email": email, "password": PASSWORD})
        body = re.sub(rb"\d+", b"", reply.body.replace(form["csrf"].encode(), b""))  # but for the time
        kept = [(name, text) for name, text in reply.headers.items() if name not in {"date", "x-request-id"}]
        return reply.status, body, [each for each in kept if each[0] != "retry-after"]

    wanted = told(Visitor(strict))
    assert wanted[0] == 429
    if cookie is not None:
        assert told(with_cookie(strict, values.get(cookie, cookie))) == wanted


def test_a_cookie_works_for_its_own_person_alone(strict: Server) -> None:
    strict.create_person(BOB)
    bob = known(strict, BOB)
    attack(strict, EMAIL)
    assert try_to_sign_in(bob, EMAIL).status == 429
    assert try_to_sign_in(bob, BOB).status == 303


def change_by_rest(server: Server, browser: Visitor) -> None:
    body = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert server.request("PUT", "/v4/people/current/password", body, basic=(BOB, PASSWORD)).status == 204


def disable_and_enable(server: Server, browser: Visitor) -> None:
    person = server.admin("GET", "/v4/people?q=bob").json["data"][0]["id"]
    for disabled in (True, False):
        assert server.admin("PATCH", f"/v4/people/{person}", {"isDisabled": disabled}).status == 200


def end_other_sessions(server: Server, browser: Visitor) -> None:
    Visitor(server).sign_in(BOB)
    elsewhere = Visitor(server).sign_in(BOB)
    assert elsewhere.submit(PROFILE, f"{PROFILE}/end-other-sessions").status == 303


def wait_a_year(server: Server, browser: Visitor) -> None:
    change(server, "UPDATE devices SET made_at = made_at - 31536000000")


def sign_in_in_ten_others(server: Server, browser: Visitor) -> None:
    for _ in range(10):
        Visitor(server).sign_in(BOB)


def sign_in_again(server: Server, browser: Visitor) -> None:
    other = with_cookie(server, browser.cookies[COOKIE])
    other.sign_in(BOB)


def sign_in_as_somebody_else(server: Server, browser: Visitor) -> None:
    with_cookie(server, browser.cookies[COOKIE]).sign_in()


@pytest.mark.parametrize(
    "ends",
    [
        change_by_rest,
        disable_and_enable,
        end_other_sessions,
        wait_a_year,
        sign_in_in_ten_others,
        sign_in_again,
        sign_in_as_somebody_else,
    ],
)
def test_a_cookie_is_worth_nothing_after(strict: Server, ends) -> None:
    strict.create_person(BOB)
    browser = known(strict, BOB)
    ends(strict, browser)
    attack(strict, BOB)
    assert {try_to_sign_in(browser, BOB, each).status for each in (PASSWORD, NEW)} == {429}


@pytest.mark.parametrize("then", [end_other_sessions, change_by_rest])
def test_whoever_ends_the_others_is_known_where_they_did(strict: Server, then) -> None:
    here = Visitor(strict).sign_in()
    Visitor(strict).sign_in()
    if then is end_other_sessions:
        assert here.submit(PROFILE, f"{PROFILE}/end-other-sessions").status == 303
    else:
        fields = {"current": PASSWORD, "new": NEW, "again": NEW}
        assert here.submit(PROFILE, f"{PROFILE}/password", **fields).status == 303
    here.sign_out()
    attack(strict)
    password = PASSWORD if then is end_other_sessions else NEW
    assert try_to_sign_in(here, password=password).status == 303


def cookie_of(reply: Reply, name: str) -> dict[str, object]:
    lines = [SimpleCookie(line) for line in reply.headers.get_all("set-cookie") or []]
    found = next(each[name] for each in lines if name in each)
    return {each: found[each] for each in ("path", "max-age", "httponly", "samesite", "secure", "domain")}


def test_the_cookie_lives_a_year_and_no_script_or_other_site_sees_it(strict: Server) -> None:
    wanted = {"path": "/", "max-age": "31536000", "httponly": True, "samesite": "strict", "domain": ""}
    assert cookie_of(try_to_sign_in(Visitor(strict)), COOKIE) == {**wanted, "secure": ""}


def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    make_installation(tmp_path / "data")
    with Server(tmp_path / "data", env={"GATEPASS_SERVER__PUBLIC_URL": "https://tokens.example.com"}) as server:
        reply = try_to_sign_in(Visitor(server))
    assert cookie_of(reply, f"__Host-{COOKIE}")["secure"] is True


def test_a_refused_sign_in_sets_no_device_and_curl_gets_none(strict: Server) -> None:
    for reply in (
        try_to_sign_in(Visitor(strict), password="wrong"),
        strict.request("GET", "/v4/people/current", basic=(EMAIL, PASSWORD)),
    ):
        assert not [line for line in reply.headers.get_all("set-cookie") or [] if COOKIE in line]


def test_what_is_in_the_cookie_is_kept_nowhere(strict: Server) -> None:
    value = known(strict).cookies[COOKIE]
    strict.stop()
    for file in (*strict.data.iterdir(), strict.log):
        assert value[:20].encode() not in file.read_bytes(), file.name
