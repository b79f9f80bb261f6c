"""REST: access tokens. Shapes and statuses of section 5 of the contract."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from support.server import EMAIL, PASSWORD, Server
from support.waiting import poll

OWN = "/v4/apiAccessTokens"
FIELDS = {
    "tokenId",
    "description",
    "status",
    "expiredAt",
    "lastUsed",
    "createdAt",
    "deletedAt",
    "parentTokenId",
    "scopes",
    "allowedNetworks",
    "audience",
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_creating_is_201_with_value_and_info_and_is_never_kept(server: Server) -> None:
    reply = server.admin("POST", OWN, {"lifetimeSeconds": 86_400, "description": "nightly"})
    assert reply.status == 201
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json.keys() == {"tokenValue", "tokenInfo"}
    assert re.fullmatch(r"gpat_[0-9A-Za-z]{22}_[0-9A-Za-z]{38}", reply.json["tokenValue"])
    info = reply.json["tokenInfo"]
    assert info.keys() == FIELDS
    assert (info["description"], info["status"], info["lastUsed"], info["scopes"]) == ("nightly", "active", None, None)


def test_expiry_is_creation_plus_lifetime_to_the_millisecond(server: Server) -> None:
    _, info = server.create_token(lifetimeSeconds=12_345)
    assert INSTANT.fullmatch(info["createdAt"])
    created, expired = (datetime.fromisoformat(info[name]) for name in ("createdAt", "expiredAt"))
    assert expired - created == timedelta(seconds=12_345)
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=1)


@pytest.mark.parametrize("lifetime", [1, 3_153_600_000])
def test_the_shortest_and_the_longest_lifetime_are_201(server: Server, lifetime: int) -> None:
    assert server.admin("POST", OWN, {"lifetimeSeconds": lifetime}).status == 201


def test_never_is_minus_one_and_null(server: Server) -> None:
    _, info = server.create_token(lifetimeSeconds=-1)
    assert info["expiredAt"] is None


def test_a_description_may_be_missing_null_or_200_characters(server: Server) -> None:
    assert server.create_token()[1]["description"] is None
    assert server.create_token(description=None)[1]["description"] is None
    assert server.create_token(description="ü" * 200)[1]["description"] == "ü" * 200


def test_a_token_made_with_a_token_names_its_parent(server: Server) -> None:
    value, info = server.create_token()
    reply = server.request("POST", OWN, {"lifetimeSeconds": 60}, bearer=value)
    assert reply.status == 201
    assert reply.json["tokenInfo"]["parentTokenId"] == info["tokenId"]


def test_getting_is_200_with_the_same_fields_and_no_value(server: Server) -> None:
    value, info = server.create_token(description="looked at")
    reply = server.admin("GET", f"{OWN}/{info['tokenId']}")
    assert reply.status == 200
    assert reply.json == info
    assert value not in reply.body.decode()


def test_getting_somebody_elses_token_is_404_for_administrators_too(own_server: Server) -> None:
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
    own_server.create_person("maria@example.com")
    _, info = own_server.create_token(basic=("maria@example.com", PASSWORD))
    reply = own_server.admin("GET", f"{OWN}/{info['tokenId']}")
    assert (reply.status, reply.error) == (404, "DataNotFoundException")


def test_deleting_is_204_and_empty_then_410(server: Server) -> None:
    _, info = server.create_token()
    path = f"{OWN}/{info['tokenId']}"
    reply = server.admin("DELETE", path)
    assert (reply.status, reply.body) == (204, b"")
    for method in ("DELETE", "GET"):
        reply = server.admin(method, path)
        assert (reply.status, reply.error) == (410, "GoneException")


def test_deleting_somebody_elses_token_is_404_deleted_or_not(server: Server) -> None:
    person = server.create_person("deleter@example.com")
    value, info = server.create_token()
    path = f"{OWN}/{info['tokenId']}"
    for _ in range(2):
        reply = server.request("DELETE", path, basic=(person["email"], PASSWORD))
        assert (reply.status, reply.error) == (404, "DataNotFoundException")
        server.admin("DELETE", path)
    assert server.request("GET", "/verify", bearer=value).status == 401


def test_administrators_delete_other_peoples_tokens_204_then_410(own_server: Server) -> None:
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
    person = own_server.create_person("maria@example.com")
    value, info = own_server.create_token(basic=(person["email"], PASSWORD))
    assert len(own_server.admin("GET", f"/v4/people/{person['id']}/apiAccessTokens").json["data"]) == 1
    assert own_server.admin("DELETE", f"{OWN}/{info['tokenId']}").status == 204
    assert own_server.request("GET", "/verify", bearer=value).status == 401
    assert own_server.admin("DELETE", f"{OWN}/{info['tokenId']}").status == 410


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
def test_a_token_is_never_modified_405(server: Server, method: str) -> None:
    _, info = server.create_token()
    reply = server.admin(method, f"{OWN}/{info['tokenId']}", {"description": "changed"})
    assert (reply.status, reply.error) == (405, "MethodNotAllowedException")
    assert reply.headers["allow"] == "DELETE, GET, HEAD"


def test_ordinary_people_get_403_until_they_may(own_server: Server) -> None:
    person = own_server.create_person("maria@example.com")
    asked = {"lifetimeSeconds": 60}
    reply = own_server.request("POST", OWN, asked, basic=(person["email"], PASSWORD))
    assert (reply.status, reply.error) == (403, "AccessControlException")
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
    assert own_server.request("POST", OWN, asked, basic=(person["email"], PASSWORD)).status == 201


def test_a_retry_with_an_idempotency_key_gets_the_same_answer(server: Server) -> None:
    def create(key: str, body: bytes):
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        return server.request("POST", OWN, raw=body, headers=headers, basic=(EMAIL, PASSWORD))

    first, again = (create("retry-1", b'{"lifetimeSeconds":60}') for _ in range(2))
    assert (first.status, first.body) == (again.status, again.body) == (201, first.body)
    assert create("retry-2", b'{"lifetimeSeconds":60}').json["tokenValue"] != first.json["tokenValue"]
    other = create("retry-1", b'{"lifetimeSeconds":61}')
    assert (other.status, other.error) == (409, "ConflictException")
    server.request("GET", "/verify", bearer=first.json["tokenValue"])
    assert create("retry-1", b'{"lifetimeSeconds":60}').body == first.body
    server.admin("DELETE", f"{OWN}/{first.json['tokenInfo']['tokenId']}")
    assert create("retry-1", b'{"lifetimeSeconds":60}').status == 409


def last_used(server: Server, token_id: str) -> str | None:
    return server.admin("GET", f"{OWN}/{token_id}").json["lastUsed"]


def test_the_first_use_is_written_within_seconds(server: Server) -> None:
    value, info = server.create_token()
    server.request("GET", "/verify", bearer=value)
    assert INSTANT.fullmatch(poll(lambda: last_used(server, info["tokenId"])))


def test_refused_requests_and_reading_tokens_are_no_use(server: Server) -> None:
    value, info = server.create_token()
    server.request("GET", OWN, bearer=value)
    server.request("GET", f"{OWN}/{info['tokenId']}", bearer=value)
    server.request("GET", "/verify", bearer=value[:-1])
    marker, marked = server.create_token()
    server.request("GET", "/verify", bearer=marker)
    poll(lambda: last_used(server, marked["tokenId"]))
    assert last_used(server, info["tokenId"]) is None


def test_uses_are_written_when_the_server_is_stopped(own_server: Server) -> None:
    value, info = own_server.create_token()
    own_server.request("GET", "/v4/people/current", bearer=value)
    assert own_server.stop() == 0
    own_server.start()
    assert own_server.admin("GET", f"{OWN}/{info['tokenId']}").json["lastUsed"] is not None
