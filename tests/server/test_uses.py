"""What counts as a use of a token, and what a retry tells of one that ended."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import apsw
import pytest

from support.server import EMAIL, PASSWORD, Server
from support.visitor import Visitor
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


def counts(server: Server, token_id: str) -> dict[str, int]:
    """Return how often a token met each outcome, as it is stored."""
    database = apsw.Connection(str(server.data / "gatepass.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows = database.execute(
            "SELECT outcome, sum(count) FROM token_uses WHERE token_id = ? GROUP BY outcome", (UUID(token_id).bytes,)
        )
        return dict(rows.fetchall())
    finally:
        database.close()


def test_a_first_use_is_seen_within_five_seconds(server: Server) -> None:
    value, info = server.create_token()
    assert server.request("GET", "/verify", bearer=value).status == 200
    assert poll(lambda: last_used(server, info["tokenId"]), seconds=5)
    assert counts(server, info["tokenId"]) == {"accepted": 1}


@pytest.mark.parametrize("path", ["/verify", "/v4/people/current"])
def test_every_door_counts_refusals_by_reason_and_for_known_tokens_only(server: Server, path: str) -> None:
    value, info = server.create_token()
    forged, other = server.create_token()
    server.admin("DELETE", f"{OWN}/{info['tokenId']}")
    for _ in range(3):
        assert server.request("GET", path, bearer=value).status == 401
    for stranger in (forged[:-1], "gpat_nothing"):
        assert server.request("GET", path, bearer=stranger).status == 401
    assert poll(lambda: counts(server, info["tokenId"])) == {"deleted": 3}
    assert last_used(server, other["tokenId"]) is None
    assert counts(server, other["tokenId"]) == {}


def test_256_clients_on_one_token_are_all_counted_when_the_server_has_stopped(own_server: Server) -> None:
    value, info = own_server.create_token()
    with ThreadPoolExecutor(256) as clients:
        answers = list(clients.map(lambda _: own_server.request("GET", "/verify", bearer=value).status, range(512)))
    assert answers == [200] * 512
    assert own_server.stop() == 0
    assert counts(own_server, info["tokenId"]) == {"accepted": 512}


def test_a_store_that_is_busy_while_the_server_stops_loses_no_use(own_server: Server) -> None:
    value, info = own_server.create_token()
    own_server.request("GET", "/verify", bearer=value)
    poll(lambda: counts(own_server, info["tokenId"]))
    own_server.request("GET", "/verify", bearer=value)
    other = apsw.Connection(str(own_server.data / "gatepass.db"))
    other.execute("BEGIN IMMEDIATE")
    end = threading.Timer(3, lambda: other.execute("ROLLBACK"))
    end.start()
    assert own_server.stop() == 0
    end.join()
    other.close()
    assert counts(own_server, info["tokenId"]) == {"accepted": 2}


def test_the_page_says_how_often_a_token_was_used(server: Server) -> None:
    value, info = server.create_token(description="looked at")
    for _ in range(4):
        server.request("GET", "/verify", bearer=value)
    poll(lambda: last_used(server, info["tokenId"]))
    page = Visitor(server).sign_in().get("/settings/access-tokens?q=looked").body.decode()
    assert re.search(r"<title>Used (once|\d times) in 30 days</title>", page)


def test_the_page_of_a_token_that_was_never_used_says_so(server: Server) -> None:
    server.create_token(description="left alone")
    page = Visitor(server).sign_in().get("/settings/access-tokens?q=left").body.decode()
    assert "<title>No requests in 30 days</title>" in page
