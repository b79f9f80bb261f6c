"""Sessions of the pages: cookies, their ends, and who gets in."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from support.server import EMAIL, PASSWORD, Server, make_installation
from support.visitor import Visitor, forms_of

HOME = "/settings/access-tokens"


def age_session(server: Server, column: str, minutes: float) -> None:
    """Move an instant of every session back, as if that time had passed."""
    with closing(apsw.Connection(str(server.data / "gatepass.db"))) as database:
        database.execute(f"UPDATE sessions SET {column} = {column} - ?", (int(minutes * 60_000),))


def test_signing_in_gives_a_new_cookie(server: Server) -> None:
    visitor = Visitor(server)
    visitor.get("/sign-in")
    before = dict(visitor.cookies)
    visitor.sign_in()
    assert before.keys() == {"gatepass"}
    assert visitor.cookies.keys() == {"gatepass", "gatepass_device"}
    assert visitor.cookies["gatepass"] != before["gatepass"]


def test_the_cookie_from_before_signing_in_is_never_a_session(server: Server) -> None:
    visitor = Visitor(server)
    visitor.get("/sign-in")
    fixed = dict(visitor.cookies)
    visitor.sign_in()
    stranger = Visitor(server)
    stranger.cookies = fixed
    assert stranger.get(HOME).status == 303


def test_the_cookie_is_for_http_alone_and_for_this_site(server: Server) -> None:
    line = Visitor(server).get("/sign-in").headers["set-cookie"]
    assert "HttpOnly" in line
    assert "SameSite=lax" in line
    assert "Path=/" in line
    assert "Max-Age" not in line


def test_the_cookie_of_an_https_site_is_a_host_cookie(tmp_path: Path) -> None:
    make_installation(tmp_path / "data")
    with Server(tmp_path / "data", "--public-url", "https://tokens.example.com") as server:
        reply = Visitor(server).get("/sign-in")
    assert reply.headers["set-cookie"].startswith("__Host-gatepass=")
    assert "Secure" in reply.headers["set-cookie"]
    assert reply.headers["strict-transport-security"] == "max-age=31536000"


def test_a_session_ends_after_30_idle_minutes(server: Server) -> None:
    visitor = Visitor(server).sign_in()
    age_session(server, "seen_at", 29)
    assert visitor.get(HOME).status == 200
    age_session(server, "seen_at", 30)
    assert visitor.get(HOME).status == 303


def test_a_session_ends_12_hours_after_signing_in_however_busy(server: Server) -> None:
    visitor = Visitor(server).sign_in()
    age_session(server, "signed_in_at", 12 * 60 - 1)
    assert visitor.get(HOME).status == 200
    age_session(server, "signed_in_at", 1)
    assert visitor.get(HOME).status == 303


def test_signing_out_kills_the_session_on_the_server(server: Server) -> None:
    visitor = Visitor(server).sign_in()
    kept = dict(visitor.cookies)
    reply = visitor.submit(HOME, "/sign-out")
    assert reply.status == 303
    assert reply.headers["clear-site-data"] == '"cache", "storage"'
    visitor.cookies = kept
    assert visitor.get(HOME).status == 303


def test_a_disabled_persons_session_is_dead_at_once(server: Server) -> None:
    person = server.create_person("disabled-session@example.com")
    visitor = Visitor(server).sign_in(person["email"], PASSWORD)
    assert visitor.get(HOME).status == 200
    assert server.admin("PATCH", f"/v4/people/{person['id']}", {"isDisabled": True}).status == 200
    assert visitor.get(HOME).status == 303
    assert server.admin("PATCH", f"/v4/people/{person['id']}", {"isDisabled": False}).status == 200
    assert visitor.get(HOME).status == 303


def test_changing_the_password_ends_other_sessions_and_keeps_this_one(server: Server) -> None:
    person = server.create_person("changes-password@example.com")
    here, there = (Visitor(server).sign_in(person["email"], PASSWORD) for _ in range(2))
    reply = here.submit(
        "/settings/profile",
        "/settings/profile/password",
        current=PASSWORD,
        new="another good sentence",
        again="another good sentence",
    )
    assert reply.headers["location"] == "/settings/profile?done=password-changed"
    assert here.get(HOME).status == 200
    assert there.get(HOME).status == 303


def test_the_eleventh_session_ends_the_oldest(server: Server) -> None:
    person = server.create_person("eleven-sessions@example.com")
    visitors = [Visitor(server).sign_in(person["email"], PASSWORD) for _ in range(11)]
    assert visitors[0].get(HOME).status == 303
    assert visitors[1].get(HOME).status == 200
    assert visitors[10].get(HOME).status == 200


def test_one_can_end_another_of_ones_own_sessions(server: Server) -> None:
    person = server.create_person("ends-a-session@example.com")
    here, there = (Visitor(server).sign_in(person["email"], PASSWORD) for _ in range(2))
    (action,) = [each for each in visible_forms(here, "/settings/profile") if each.endswith("/end")]
    assert here.submit("/settings/profile", action).status == 303
    assert there.get(HOME).status == 303
    assert here.get(HOME).status == 200


def test_somebody_elses_session_cannot_be_ended(server: Server) -> None:
    person = server.create_person("not-mine@example.com")
    for _ in range(2):
        victim = Visitor(server).sign_in(person["email"], PASSWORD)
    (action,) = [each for each in visible_forms(victim, "/settings/profile") if each.endswith("/end")]
    attacker = Visitor(server).sign_in()
    csrf = attacker.form("/settings/profile", "/sign-out")["csrf"]
    assert attacker.post(action, {"csrf": csrf}).status == 404


def test_after_signing_in_one_gets_where_one_wanted_to_go(server: Server) -> None:
    visitor = Visitor(server)
    reply = visitor.get("/settings/profile")
    assert reply.headers["location"] == "/sign-in?next=%2Fsettings%2Fprofile"
    reply = visitor.submit(reply.headers["location"], "/sign-in", email=EMAIL, password=PASSWORD)
    assert reply.headers["location"] == "/settings/profile"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/%09/evil.example",
        "javascript:alert(1)",
        "/settings/../../evil",
        "/settings//evil",
        "/settings/\r\nX: y",
        "/settings/é",
        "/settings/" + "a" * 600,
    ],
)
def test_next_leads_to_no_other_site(server: Server, target: str) -> None:
    visitor = Visitor(server)
    form = visitor.form("/sign-in", "/sign-in")
    reply = visitor.post("/sign-in", {**form, "email": EMAIL, "password": PASSWORD, "next": target})
    assert reply.status == 303
    assert reply.headers["location"] == HOME


@pytest.mark.parametrize("path", [HOME, "/", "/settings/profile", "/admin/people", "/admin/audit", "/sign-in"])
def test_a_bearer_token_opens_no_page(server: Server, path: str) -> None:
    value, _ = server.create_token()
    reply = server.request("GET", path, bearer=value)
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith("Bearer")


def test_a_name_and_password_header_opens_no_page(server: Server) -> None:
    reply = server.request("GET", HOME, basic=(EMAIL, PASSWORD))
    assert reply.status == 401
    assert "Basic" not in reply.headers["www-authenticate"]


def test_a_session_works_over_rest_for_reading(server: Server) -> None:
    visitor = Visitor(server).sign_in()
    assert visitor.get("/v4/people/current").json["email"] == EMAIL


def test_a_session_cannot_be_used_together_with_a_bad_header(server: Server) -> None:
    visitor = Visitor(server).sign_in()
    assert visitor.get("/v4/people/current", {"Authorization": "Bearer nonsense"}).status == 401


def test_last_sign_in_is_shown_to_the_person(server: Server) -> None:
    person = server.create_person("signs-in@example.com")
    assert person["lastLoginTime"] is None
    Visitor(server).sign_in(person["email"], PASSWORD)
    assert server.admin("GET", f"/v4/people/{person['id']}").json["lastLoginTime"] is not None


def visible_forms(visitor: Visitor, path: str) -> list[str]:
    return list(forms_of(visitor.get(path)))
