"""What counts as a use of a token, and what a retry tells of one that ended."""

from support.server import EMAIL, PASSWORD, Server
from support.waiting import poll

OWN = "/v4/apiAccessTokens"


def last_used(server: Server, token_id: str) -> str | None:
    return server.admin("GET", f"{OWN}/{token_id}").json["lastUsed"]


def wait_for_writing(server: Server) -> None:
    """Wait until every use up to now has been written."""
    value, info = server.create_token()
    server.request("GET", "/verify", bearer=value)
    poll(lambda: last_used(server, info["tokenId"]))


def test_a_refused_request_is_no_use(own_server: Server) -> None:
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
    person = own_server.create_person("maria@example.com")
    value, info = own_server.create_token(basic=(person["email"], PASSWORD))
    for method, path, body, status in (
        ("GET", "/v4/people", None, 403),
        ("PATCH", "/v4/settings", {"tokens.retentionDays": 1}, 403),
        ("GET", "/v4/people/01a20d1f-00c9-7000-b8dc-c8f9fd073580", None, 404),
        ("DELETE", f"{OWN}/01a20d1f-00c9-7000-b8dc-c8f9fd073580", None, 404),
        ("POST", OWN, {"lifetimeSeconds": 0}, 400),
        ("POST", "/v4/people/current", None, 405),
        ("GET", "/v4/nowhere", None, 404),
    ):
        assert own_server.request(method, path, body, bearer=value).status == status, path
    wait_for_writing(own_server)
    assert own_server.request("GET", f"{OWN}/{info['tokenId']}", bearer=value).json["lastUsed"] is None


def test_a_retry_after_the_token_expired_says_so(server: Server) -> None:
    def create() -> dict[str, str]:
        headers = {"Idempotency-Key": "short", "Content-Type": "application/json"}
        return server.request("POST", OWN, raw=b'{"lifetimeSeconds":1}', headers=headers, basic=(EMAIL, PASSWORD)).json

    first = create()
    again = poll(lambda: each if (each := create())["tokenInfo"]["status"] == "expired" else None)
    assert again["tokenValue"] == first["tokenValue"]
    assert again["tokenInfo"] == {**first["tokenInfo"], "status": "expired"}
