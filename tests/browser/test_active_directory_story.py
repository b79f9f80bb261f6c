"""A whole server over a real Active Directory (Samba): by curl, on the page in Chromium, and how somebody leaves."""

import json
import subprocess
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenPage, keep_picture
from support.listener import Listener
from support.oauth import add_verifier
from support.samba import BASE, DISABLED, DOMAIN, LOCKED_AFTER, REALM, SEARCHER, Samba, dn_of, password_of, person
from support.server import Server, gatepass, make_installation
from support.waiting import poll

pytestmark = pytest.mark.xdist_group("active directory")
READ_EVERY, BOUND = 2, 5
"""Seconds: how often the directory is read, and what a deletion takes at most to reach every verifier."""
CONFIG = f"""
[providers.corp]
kind = "ldap"
flavour = "ad"
name = "Example Corp"
urls = ["{{url}}"]
tls_ca = "{{authority}}"
bind_dn = "{SEARCHER[0]}"
base = "{BASE}"
domains = ["{DOMAIN}"]
admin_groups = ["{dn_of("admins")}"]
generate_groups = ["{dn_of("token users")}"]
read_every_seconds = {READ_EVERY}
connect_seconds = 10
answer_seconds = 20
"""


@pytest.fixture(scope="module")
def server(samba: Samba, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("active-directory")
    make_installation(folder / "data")
    (folder / "data" / "gatepass.toml").write_text(CONFIG.format(url=samba.urls[0], authority=samba.authority))
    (folder / "searcher").write_text(SEARCHER[1] + "\n")
    env = {"GATEPASS_PROVIDERS__CORP__BIND_PASSWORD_FILE": str(folder / "searcher")}
    with Server(folder / "data", env=env) as running:
        yield running


@pytest.fixture
def elsewhere(server: Server) -> Iterator[Listener]:
    """A verifier that has the server's answers in memory."""
    place = server.data.parent / "edge.credential"
    place.write_text(add_verifier(server, "edge")[1])
    with Listener(server.data, "--upstream", server.url, "--credential-file", str(place)) as running:
        poll(lambda: running.status("/readyz") == 200)
        yield running


def create_with_curl(server: Server, login: str, password: str) -> str:
    """Create a token as the manual says, and return its value."""
    done = subprocess.run(
        [
            *("curl", "-sS", "--fail-with-body", "-u", f"{login}:{password}"),
            *("-H", "Content-Type: application/json", "-d", json.dumps({"lifetimeSeconds": 86400})),
            f"{server.url}/v4/apiAccessTokens",
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return json.loads(done.stdout)["tokenValue"]


def test_the_first_token_is_made_by_curl_with_the_password_of_the_directory(server: Server) -> None:
    people = []
    for login in ("alice", f"{DOMAIN}\\alice", f"alice@{REALM}"):
        value = create_with_curl(server, login, password_of("alice"))
        assert server.request("GET", "/verify", bearer=value).status == 200
        people.append(server.request("GET", "/v4/people/current", bearer=value).json)
    assert (people[0]["email"], people[0]["name"], people[0]["isAdmin"]) == ("alice@corp", "Alice Person", True)
    assert len({each["id"] for each in people}) == 1


def test_who_is_in_no_group_that_may_gets_no_token(server: Server) -> None:
    reply = server.request("POST", "/v4/apiAccessTokens", {"lifetimeSeconds": 86400}, basic=("bob", password_of("bob")))
    assert reply.status == 403


def test_a_stranger_is_told_the_same_of_every_account_and_the_audit_log_says_why(server: Server, samba: Samba) -> None:
    def told(login: str, password: str) -> tuple[object, ...]:
        reply = server.request("GET", "/v4/people/current", basic=(login, password))
        return reply.status, reply.body, reply.headers.get_all("www-authenticate")

    samba.unlock("locked")
    for _ in range(LOCKED_AFTER):
        told("locked", "wrong")
    wanted = told("nobody", "wrong")
    assert wanted[0] == 401
    reasons = {
        "bob": "wrong-password",
        "disabled": "disabled",
        "ended": "expired",
        "forced": "must-change",
        "stale": "password-expired",
        "locked": "locked",
    }
    for login in reasons:
        assert told(login, "wrong" if login == "bob" else password_of(login)) == wanted, login
    records = server.admin("GET", "/v4/auditEvents").json["data"]
    refused = [each["details"] for each in records if each["action"] == "sign-in.refused"]
    assert {each["name"]: each["reason"] for each in refused} == reasons


def test_trying_the_directory_shows_somebody_with_their_groups(server: Server) -> None:
    done = gatepass("idp", "test", "corp", "--user", f"{DOMAIN}\\alice", "--data", str(server.data), env=server.env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cn=admins,cn=users" in done.stdout


def test_who_is_disabled_in_the_directory_is_refused_within_the_stated_time(
    server: Server, elsewhere: Listener, samba: Samba, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{server.url}/sign-in")
    page.get_by_label("User name or e-mail address").fill(f"{DOMAIN}\\leaver")
    page.get_by_label("Password").fill(password_of("leaver"))
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/settings/access-tokens")
    page.get_by_role("link", name="Generate New Token", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Description").fill("Nightly export")
    dialog.get_by_role("button", name="Generate", exact=True).click()
    value = page.locator("#value").inner_text()
    keep_picture(page, "active-directory-token")
    assert server.request("GET", "/v4/people/current", bearer=value).json["name"] == "Leaver Person"
    doors = {
        "here": lambda: server.request("GET", "/verify", bearer=value).status,
        "elsewhere": lambda: elsewhere.status(bearer=value),
    }
    assert [ask() for ask in doors.values()] == [200, 200]

    samba.set(dn_of("leaver"), "userAccountControl", DISABLED)
    began = time.monotonic()
    for name, ask in doors.items():
        poll(lambda ask=ask: ask() == 401, seconds=READ_EVERY + BOUND)
        print(
            f"disabled in the directory, refused {name} after {time.monotonic() - began:.1f} s; read every {READ_EVERY} s"
        )
    assert time.monotonic() - began < READ_EVERY + BOUND
    page.goto(f"{server.url}/settings/access-tokens")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert server.request("GET", "/v4/people/current", basic=("leaver", password_of("leaver"))).status == 401
    found = server.admin("GET", "/v4/people?q=leaver").json["data"][0]
    assert found["isDisabled"] is True


def test_who_is_locked_or_must_change_the_password_keeps_their_tokens(server: Server, samba: Samba) -> None:
    samba.add(person("keeper"))
    samba.change(f"dn: {dn_of('helpers')}\nchangetype: modify\nadd: member\nmember: {dn_of('keeper')}\n")
    value = create_with_curl(server, "keeper", password_of("keeper"))
    samba.set(dn_of("keeper"), "pwdLastSet", 0)
    time.sleep(READ_EVERY * 2)
    assert server.request("GET", "/v4/people/current", basic=("keeper", password_of("keeper"))).status == 401
    assert server.request("GET", "/verify", bearer=value).status == 200


def test_no_password_is_in_the_log(server: Server) -> None:
    log = server.log.read_text()
    assert '"door"' in log
    for secret in (*map(password_of, ("alice", "leaver", "locked")), SEARCHER[1]):
        assert secret not in log
