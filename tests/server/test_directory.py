"""A whole server over a real directory: sign in, generate, leave, be refused."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.server import PASSWORD, Reply, Server, make_installation
from support.slapd import BASE, SEARCHER, Slapd, dn_of, group_dn, person, running_slapd
from support.visitor import Visitor
from support.waiting import poll

CONFIG = """
[providers.corp]
kind = "ldap"
name = "Example Corp"
urls = [{urls}]
tls_ca = "{authority}"
bind_dn = "{dn}"
base = "{base}"
trust_email = true
admin_groups = ["{admins}"]
generate_groups = ["{makers}"]
read_every_seconds = 1
connect_seconds = 1
answer_seconds = 1
"""


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    yield from running_slapd()


@pytest.fixture(scope="module")
def server(slapd: Slapd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("directory") / "data"
    make_installation(data)
    urls = ", ".join(f'"{url}"' for url in slapd.urls)
    (data / "gatepass.toml").write_text(
        CONFIG.format(
            urls=urls,
            authority=slapd.authority,
            dn=SEARCHER[0],
            base=BASE,
            admins=group_dn("admins").upper(),
            makers=group_dn("makers"),
        )
    )
    secret = Path(data) / "searcher"
    secret.write_text(SEARCHER[1] + "\n")
    with Server(data, env={"GATEPASS_PROVIDERS__CORP__BIND_PASSWORD_FILE": str(secret)}) as running:
        yield running


def test_the_first_token_is_made_by_curl_with_the_directory_password(server: Server) -> None:
    value, info = server.create_token(basic=("alice", "alice password"), description="first")
    me = server.request("GET", "/v4/people/current", bearer=value).json
    assert (me["email"], me["name"], me["isAdmin"]) == ("alice@example.org", "Alice Person", True)
    assert server.request("GET", "/verify", bearer=value).status == 200
    assert info["description"] == "first"


def test_all_failures_are_answered_alike(server: Server) -> None:
    def told(name: str, password: str) -> tuple[object, ...]:
        reply = server.request("GET", "/v4/people/current", basic=(name, password))
        return reply.status, reply.body, reply.headers.get_all("www-authenticate")

    wanted = told("nobody", "x")
    assert wanted[0] == 401
    for name, password in (
        ("alice", "wrong"),
        ("alice", ""),
        ("nobody@example.org", "x"),
        ("twin", "twin password"),
        ("locked", "locked password"),
        ("forced", "forced password"),
        ("stale", "stale password"),
        ("ended", "ended password"),
        ("*", "alice password"),
        ("admin@example.com", "wrong"),
    ):
        assert told(name, password) == wanted, name


def test_unknown_known_disabled_and_directory_names_are_answered_alike_on_the_page_and_to_curl(server: Server) -> None:
    person = server.create_person("disabled@example.com")
    server.admin("PATCH", f"/v4/people/{person['id']}", {"isDisabled": True})
    names = ("nobody@example.com", "admin@example.com", person["email"], "alice", "locked", "nobody")

    def on_the_page(name: str, password: str) -> tuple[object, ...]:
        visitor = Visitor(server)
        form = visitor.form("/sign-in", "/sign-in")
        reply = visitor.post("/sign-in", {**form, "email": name, "password": password})
        body = reply.body.replace(form["csrf"].encode(), b"").replace(name.encode(), b"")
        return reply.status, re.sub(rb'name="server-time" content="[^"]*"', b"", body), kept(reply)

    def to_curl(name: str, password: str) -> tuple[object, ...]:
        reply = server.request("GET", "/v4/people/current", basic=(name, password))
        return reply.status, reply.body, kept(reply)

    for door in (on_the_page, to_curl):
        wanted = door("nobody@example.com", "wrong")
        assert wanted[0] == 401
        for name in names:
            for password in ("wrong", "", "x" * 2000):
                assert door(name, password) == wanted, (door.__name__, name, password[:5])
        assert door(person["email"], PASSWORD) == door("locked", "locked password") == wanted


def kept(reply: Reply) -> list[tuple[str, str]]:
    """Return the headers but for those that differ between all answers; the length goes with what was typed."""
    return [each for each in reply.headers.items() if each[0] not in {"date", "x-request-id", "content-length"}]


def test_somebody_signs_in_on_the_page_and_out_of_no_group_may_not_generate(server: Server, slapd: Slapd) -> None:
    slapd.add(person("guest", "guest password"))
    visitor = Visitor(server).sign_in("guest", "guest password")
    shown = visitor.get("/settings/access-tokens/generate")
    assert shown.status == 403
    assert b"groups in the directory" in shown.body


def test_who_leaves_the_directory_is_refused_at_the_next_reading(server: Server, slapd: Slapd) -> None:
    value, _ = server.create_token(basic=("bob", "bob password"))
    visitor = Visitor(server).sign_in("bob", "bob password")
    assert server.request("GET", "/verify", bearer=value).status == 200
    slapd.remove(dn_of("bob"))
    poll(lambda: server.request("GET", "/verify", bearer=value).status == 401)
    assert visitor.get("/settings/profile").status == 303
    assert server.request("GET", "/v4/people/current", basic=("bob", "bob password")).status == 401
    found = server.admin("GET", "/v4/people?q=bob").json["data"][0]
    assert found["isDisabled"] is True


def test_a_local_person_moves_to_the_directory_with_both_passwords_and_leaves_with_it(
    server: Server, slapd: Slapd
) -> None:
    slapd.add(person("mover", "mover password"))
    slapd.change(f"dn: {group_dn('makers')}\nchangetype: modify\nadd: member\nmember: {dn_of('mover')}\n")
    before = server.create_person("mover@example.com")["id"]
    visitor, page = Visitor(server).sign_in("mover@example.com"), "/settings/profile/move/corp"
    for password, there in ((PASSWORD, "wrong"), (PASSWORD, ""), ("wrong", "mover password")):
        reply = visitor.submit(page, page, password=password, login="mover", there=there)
        assert reply.status == 400
    assert server.request("GET", "/v4/people/current", basic=("mover@example.com", PASSWORD)).status == 200
    reply = visitor.submit(page, page, password=PASSWORD, login="mover", there="mover password")
    assert (reply.status, reply.headers["location"]) == (303, "/settings/profile?done=moved")
    assert b"mover@example.org" in visitor.get("/settings/profile").body
    value, _ = server.create_token(basic=("mover", "mover password"))
    me = server.request("GET", "/v4/people/current", bearer=value).json
    assert (me["id"], me["provider"]) == (before, "corp")
    assert server.request("GET", "/v4/people/current", basic=("mover@example.com", PASSWORD)).status == 401
    slapd.remove(dn_of("mover"))
    poll(lambda: server.request("GET", "/verify", bearer=value).status == 401)
    assert visitor.get("/settings/profile").status == 303


def test_an_outage_is_503_and_local_people_still_get_in(server: Server, slapd: Slapd) -> None:
    slapd.stop()
    try:
        for name in ("alice", "nobody"):
            reply = server.request("GET", "/v4/people/current", basic=(name, "alice password"))
            assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert server.admin("GET", "/v4/people/current").status == 200
    finally:
        slapd.start()


def test_no_password_is_in_the_log(server: Server) -> None:
    log = server.log.read_text()
    assert '"door": "basic"' in log or "door" in log
    for secret in ("alice password", "bob password", "locked password", "mover password", PASSWORD, SEARCHER[1]):
        assert secret not in log
