"""Deleting a token: by every door, at once, for ever; and what others and outages make of it."""

from collections.abc import Callable
from contextlib import closing

import apsw
import pytest

from support.server import PASSWORD, Server, gatepass
from support.visitor import Visitor

OWN = "/v4/apiAccessTokens"
HOME = "/settings/access-tokens"
UNKNOWN = "01a20d1f-00c9-7000-b8dc-c8f9fd073580"


@pytest.fixture(scope="module")
def person(server: Server) -> dict[str, str]:
    """Somebody ordinary who may generate tokens."""
    server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
    return server.create_person("maria@example.com")


def token_of(server: Server, person: dict[str, str]) -> tuple[str, str]:
    value, info = server.create_token(basic=(person["email"], PASSWORD))
    return value, info["tokenId"]


Door = Callable[[Server, dict[str, str], str, str], None]


def by_password(server: Server, person: dict[str, str], token_id: str, value: str) -> None:
    assert server.request("DELETE", f"{OWN}/{token_id}", basic=(person["email"], PASSWORD)).status == 204


def by_itself(server: Server, person: dict[str, str], token_id: str, value: str) -> None:
    assert server.request("DELETE", f"{OWN}/{token_id}", bearer=value).status == 204


def by_another_token(server: Server, person: dict[str, str], token_id: str, value: str) -> None:
    other, _ = token_of(server, person)
    assert server.request("DELETE", f"{OWN}/{token_id}", bearer=other).status == 204


def by_an_administrator(server: Server, person: dict[str, str], token_id: str, value: str) -> None:
    assert server.admin("DELETE", f"{OWN}/{token_id}").status == 204


def by_a_session(server: Server, person: dict[str, str], token_id: str, value: str) -> None:
    visitor = Visitor(server).sign_in(person["email"], PASSWORD)
    sent = {"Cookie": f"gatepass={visitor.cookies['gatepass']}", "Sec-Fetch-Site": "same-origin"}
    assert server.request("DELETE", f"{OWN}/{token_id}", headers=sent).status == 204


def by_the_page(server: Server, person: dict[str, str], token_id: str, value: str) -> None:
    action = f"{HOME}/{token_id}/delete"
    assert Visitor(server).sign_in(person["email"], PASSWORD).submit(action, action).status == 303


def by_the_page_of_administrators(server: Server, person: dict[str, str], token_id: str, value: str) -> None:
    action = f"/admin/people/{person['id']}/access-tokens/{token_id}/delete"
    assert Visitor(server).sign_in().submit(action, action).status == 303


def by_the_command(server: Server, person: dict[str, str], token_id: str, value: str) -> None:
    env = {"GATEPASS_URL": server.url, "GATEPASS_TOKEN": value}
    assert gatepass("token", "delete", token_id, env=env).returncode == 0


@pytest.mark.parametrize(
    "door",
    [
        by_password,
        by_itself,
        by_another_token,
        by_an_administrator,
        by_a_session,
        by_the_page,
        by_the_page_of_administrators,
        by_the_command,
    ],
)
def test_a_token_deleted_by_any_door_opens_none(server: Server, person: dict[str, str], door: Door) -> None:
    value, token_id = token_of(server, person)
    assert server.request("GET", "/verify", bearer=value).status == 200
    door(server, person, token_id, value)
    for method, path, body in (
        ("GET", "/verify", None),
        ("GET", "/v4/people/current", None),
        ("POST", OWN, {"lifetimeSeconds": 60}),
        ("DELETE", f"{OWN}/{token_id}", None),
    ):
        assert server.request(method, path, body, bearer=value).status == 401, path


def test_a_deletion_that_could_not_be_written_is_503_and_never_looks_done(
    server: Server, person: dict[str, str]
) -> None:
    value, token_id = token_of(server, person)
    with closing(apsw.Connection(str(server.data / "gatepass.db"))) as database:
        database.execute("BEGIN IMMEDIATE")  # somebody else has the one right to write
        reply = server.request("DELETE", f"{OWN}/{token_id}", bearer=value)
        assert (reply.status, reply.error) == (503, "ServiceUnavailableException")
        database.execute("ROLLBACK")
    assert server.request("GET", "/verify", bearer=value).status == 200
    assert server.request("DELETE", f"{OWN}/{token_id}", bearer=value).status == 204
    assert server.request("GET", "/verify", bearer=value).status == 401


def test_ordinary_people_cannot_tell_unknown_from_somebody_elses_from_deleted(
    server: Server, person: dict[str, str]
) -> None:
    _, theirs = server.create_token()
    _, deleted = server.create_token()
    assert server.admin("DELETE", f"{OWN}/{deleted['tokenId']}").status == 204
    for method in ("DELETE", "GET"):
        told = set()
        for token_id in (UNKNOWN, theirs["tokenId"], deleted["tokenId"]):
            reply = server.request(method, f"{OWN}/{token_id}", basic=(person["email"], PASSWORD))
            told.add((reply.status, reply.body))
        assert {status for status, _ in told} == {404}
        assert len(told) == 1, method


def test_a_use_just_before_the_deletion_is_kept(own_server: Server) -> None:
    value, info = own_server.create_token()
    assert own_server.request("GET", "/verify", bearer=value).status == 200
    assert own_server.admin("DELETE", f"{OWN}/{info['tokenId']}").status == 204
    own_server.stop()  # writes what is not written yet
    own_server.start()
    (found,) = own_server.admin("GET", f"{OWN}?status=deleted").json["data"]
    assert found["tokenId"] == info["tokenId"]
    assert found["createdAt"] <= found["lastUsed"] <= found["deletedAt"]
