"""What is left to somebody in each state: a table of states and credentials, with one expectation for each cell."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from gatepass import open_verifier
from gatepass.model.verdict import Accepted
from support.oauth import INTROSPECT, ask
from support.pushing import CREDENTIALS as SCIM_CREDENTIALS
from support.pushing import Directory, deactivation
from support.server import Server
from support.visitor import Visitor
from support.waiting import poll
from support.with_provider import Company, add_verifier, toy_server

STATES = (
    "live",
    "disabled",
    "deleted",
    "gone",
    "disabled there",
    "without the group",
    "pushed out",
    "password expired",
)
CREDENTIALS = (
    "token",
    "child token",
    "verify",
    "introspection",
    "embedded verifier",
    "remote verifier",
    "session",
    "basic",
    "page",
)
WORKS = {
    "live": set(CREDENTIALS),
    # Whose password has expired cannot sign in any more; what they have goes on.
    "password expired": set(CREDENTIALS) - {"basic", "page"},
}


@dataclass
class Left:
    """What one person had before their state changed."""

    login: str
    password: str
    person_id: str
    token: str
    child: str
    browser: Visitor


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], bool]]:
    folder = tmp_path_factory.mktemp("leaving")
    people = {
        f"s-{number}": {"login": f"p{number}", "password": f"password {number}", "groups": ["staff"]}
        for number in range(len(STATES))
    }
    company = Company(folder, people)
    made = toy_server(folder, company)
    made.env["GATEPASS_PROVIDERS__CORP__SCIM_CREDENTIAL"] = SCIM_CREDENTIALS["CORP"]
    with made as server:
        wanted = {"apiAccessTokens.usersMayGenerate": True, "verifiers.boundSeconds": 1}
        assert server.admin("PATCH", "/v4/settings", wanted).status == 200
        left = {state: _enter(server, number) for number, state in enumerate(STATES)}
        credential = add_verifier(server)
        with (
            closing(open_verifier(server.data)) as embedded,
            closing(open_verifier(server.url, credential=credential)) as remote,
        ):
            doors = {
                "verify": lambda one: server.request("GET", "/verify", bearer=one.token).status == 200,
                "introspection": lambda one: ask(server, INTROSPECT, {"token": one.token}, bearer=credential).json[
                    "active"
                ],
                "embedded verifier": lambda one: isinstance(embedded.verify(one.token), Accepted),
                "remote verifier": lambda one: isinstance(remote.verify(one.token), Accepted),
                "token": lambda one: _me(server, bearer=one.token),
                "child token": lambda one: _me(server, bearer=one.child),
                "session": lambda one: one.browser.get("/settings/profile").status == 200,
                "basic": lambda one: _me(server, basic=(one.login, one.password)),
                "page": lambda one: _signs_in(server, one),
            }
            assert all(door(one) for door in doors.values() for one in left.values())
            _change(server, company, left)
            assert doors.keys() == set(CREDENTIALS)
            yield {(state, name): door(one) for state, one in left.items() for name, door in doors.items()}


def _enter(server: Server, number: int) -> Left:
    login, password = f"p{number}", f"password {number}"
    token, _ = server.create_token(basic=(login, password))
    child = server.request("POST", "/v4/apiAccessTokens", {"lifetimeSeconds": 600}, bearer=token).json["tokenValue"]
    person_id = server.request("GET", "/v4/people/current", bearer=token).json["id"]
    return Left(login, password, person_id, token, child, Visitor(server).sign_in(login, password))


def _change(server: Server, company: Company, left: dict[str, Left]) -> None:
    """Bring everybody into their state, and wait until the directory was read."""
    subject = {state: f"s-{number}" for number, state in enumerate(STATES)}
    server.admin("PATCH", f"/v4/people/{left['disabled'].person_id}", {"isDisabled": True})
    server.admin("DELETE", f"/v4/people/{left['deleted'].person_id}")
    pushed = Directory(server).ask("PATCH", left["pushed out"].person_id, deactivation())
    assert (pushed.status, pushed.json["active"]) == (200, False)
    del company.people[subject["deleted"]]
    del company.people[subject["gone"]]
    company.people[subject["disabled there"]]["disabled"] = True
    company.people[subject["without the group"]]["groups"] = []
    company.people[subject["password expired"]]["expired"] = True
    company.keep()
    for state in ("gone", "disabled there", "without the group"):
        poll(lambda one=left[state]: not _me(server, bearer=one.token))


def _me(server: Server, **how: object) -> bool:
    reply = server.request("GET", "/v4/people/current", **how)
    assert reply.status in {200, 401}
    return reply.status == 200


def _signs_in(server: Server, one: Left) -> bool:
    reply = Visitor(server).submit("/sign-in", "/sign-in", email=one.login, password=one.password)
    assert reply.status in {303, 401}
    return reply.status == 303


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("state", STATES)
def test_what_is_left_is_what_the_table_says(table: dict[tuple[str, str], bool], state: str, credential: str) -> None:
    assert table[state, credential] is (credential in WORKS.get(state, set()))
