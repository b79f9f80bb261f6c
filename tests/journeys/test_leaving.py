"""What is left to somebody in each state: a table of states and credentials, with one expectation for each cell.

It holds for the provider of the tests and for a real OpenLDAP server. Refresh tokens, device codes and open streams, which
other systems have to end as well, do not exist here.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from gatepass import open_verifier
from gatepass.model.verdict import Accepted
from support.leaving import Directory, OpenLdap, Toy
from support.oauth import INTROSPECT, add_verifier, ask
from support.pushing import Directory as Pushing
from support.pushing import deactivation
from support.server import Server
from support.visitor import Visitor
from support.waiting import poll

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
# In the order of CREDENTIALS: `+` it works, `-` it is refused, `.` it cannot be, for the reason in NOT_APPLICABLE.
TABLE = {
    "live": "+++++++++",
    "disabled": "---------",
    "deleted": "---------",
    # They come back as somebody new, who has nothing of what they had.
    "deleted here alone": "-------++",
    "gone there": "---------",
    "disabled there": "---------",
    "without the group": "---------",
    "pushed out": "---------",
    # They cannot prove who they are by now; what they have goes on.
    "password expired": "+++++++--",
    "locked there": "+++++++--",
    "local, live": "+++++++++",
    "local, disabled": "---------",
    "local, deleted": "---------",
    "local, gone there": ".........",
    "local, without the group": ".........",
    "local, password expired": ".........",
}
NOT_APPLICABLE = {
    "local, gone there": "no directory knows people who are kept here",
    "local, without the group": "no groups count for people who are kept here",
    "local, password expired": "passwords that are kept here do not end by themselves (NIST SP 800-63B-4)",
}
STATES = [state for state in TABLE if state not in NOT_APPLICABLE]


@dataclass
class Left:
    """What one person had before their state changed."""

    login: str
    password: str
    person_id: str
    token: str
    child: str
    browser: Visitor


@pytest.fixture(scope="module", params=["toy", "openldap"])
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    made = Toy(tmp_path_factory.mktemp("toy")) if request.param == "toy" else OpenLdap()
    yield made
    made.close()


@pytest.fixture(scope="module")
def found(directory: Directory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], bool]]:
    logins = {state: f"p{number}" for number, state in enumerate(STATES)}
    directory.join(*(login for state, login in logins.items() if not state.startswith("local")))
    with directory.serve(tmp_path_factory.mktemp("leaving")) as server:
        wanted = {"apiAccessTokens.usersMayGenerate": True, "verifiers.boundSeconds": 1}
        assert server.admin("PATCH", "/v4/settings", wanted).status == 200
        left = {state: _enter(server, state, login) for state, login in logins.items()}
        _, credential = add_verifier(server, "orders")
        with (
            closing(open_verifier(server.data)) as embedded,
            closing(open_verifier(server.url, credential=credential)) as remote,
        ):
            doors: dict[str, Callable[[Left], bool]] = {
                "token": lambda one: _me(server, bearer=one.token) == one.person_id,
                "child token": lambda one: _me(server, bearer=one.child) == one.person_id,
                "verify": lambda one: _works(server.request("GET", "/verify", bearer=one.token).status),
                "introspection": lambda one: ask(server, INTROSPECT, {"token": one.token}, bearer=credential).json[
                    "active"
                ],
                "embedded verifier": lambda one: isinstance(embedded.verify(one.token), Accepted),
                "remote verifier": lambda one: isinstance(remote.verify(one.token), Accepted),
                "session": lambda one: _works(one.browser.get("/settings/profile").status),
                "basic": lambda one: _me(server, basic=(one.login, one.password)) is not None,
                "page": lambda one: _signs_in(server, one),
            }
            assert tuple(doors) == CREDENTIALS
            assert all(door(one) for door in doors.values() for one in left.values())
            _change(server, directory, left)
            yield {(state, name): door(one) for state, one in left.items() for name, door in doors.items()}


def _enter(server: Server, state: str, login: str) -> Left:
    if state.startswith("local"):
        login, password = f"{login}@example.com", f"password of {login} here"
        server.create_person(login, password=password)
    else:
        password = f"password {login}"
    token, _ = server.create_token(basic=(login, password))
    child = server.request("POST", "/v4/apiAccessTokens", {"lifetimeSeconds": 600}, bearer=token).json["tokenValue"]
    person_id = _me(server, bearer=token)
    assert person_id
    return Left(login, password, person_id, token, child, Visitor(server).sign_in(login, password))


def _change(server: Server, directory: Directory, left: dict[str, Left]) -> None:
    """Bring everybody into their state, and wait until the directory was read and every lease from before is over."""
    for state in ("disabled", "local, disabled"):
        assert server.admin("PATCH", f"/v4/people/{left[state].person_id}", {"isDisabled": True}).status == 200
    directory.remove(left["deleted"].login)
    for state in ("deleted", "deleted here alone", "local, deleted"):
        assert server.admin("DELETE", f"/v4/people/{left[state].person_id}").status == 204
    pushed = Pushing(server).ask("PATCH", left["pushed out"].person_id, deactivation())
    assert (pushed.status, pushed.json["active"]) == (200, False)
    directory.remove(left["gone there"].login)
    directory.disable(left["disabled there"].login)
    directory.leave_group(left["without the group"].login)
    directory.expire_password(left["password expired"].login)
    directory.lock(left["locked there"].login)
    for state in ("gone there", "disabled there", "without the group"):
        poll(lambda one=left[state]: _me(server, bearer=one.token) is None)
    # A password that is a second old when it may be one.
    poll(lambda: _me(server, basic=(left["password expired"].login, left["password expired"].password)) is None)
    time.sleep(1.1)


def _works(status: int) -> bool:
    assert status in {200, 303, 401}, status  # never an outage
    return status == 200


def _me(server: Server, **how: object) -> str | None:
    """Return the id of whoever a credential is of; None if it is refused."""
    reply = server.request("GET", "/v4/people/current", **how)
    return reply.json["id"] if _works(reply.status) else None


def _signs_in(server: Server, one: Left) -> bool:
    reply = Visitor(server).submit("/sign-in", "/sign-in", email=one.login, password=one.password)
    assert reply.status in {303, 401}
    return reply.status == 303


def test_every_cell_has_an_expectation_and_every_cell_that_cannot_be_a_reason() -> None:
    assert {len(row) for row in TABLE.values()} == {len(CREDENTIALS)}
    assert {state for state, row in TABLE.items() if "." in row} == NOT_APPLICABLE.keys()
    assert all(set(TABLE[state]) == {"."} for state in NOT_APPLICABLE)
    assert all(set(row) <= set("+-.") for row in TABLE.values())


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("state", STATES)
def test_what_is_left_is_what_the_table_says(found: dict[tuple[str, str], bool], state: str, credential: str) -> None:
    assert found[state, credential] is (TABLE[state][CREDENTIALS.index(credential)] == "+")
