"""What answers hold and what they depend on: no secret, and no parameter that is not in the document."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import apsw
import pytest

from gatepass.server.api.openapi import OPERATIONS
from support.oauth import add_verifier
from support.server import EMAIL, PASSWORD, Server

OWN = "/v4/apiAccessTokens"
NEW = "another good sentence"
SECRET_WORDS = ("mac", "hash", "salt", "digest", "pepper", "handle", "secret", "password", "csrf", "key")
SHOWN_ONCE = {"tokenValue", "setPasswordUrl"}
LISTS = [OWN, "/v4/people", "/v4/auditEvents", "/v4/people/{id}/apiAccessTokens"]


def keys_of(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield key
            yield from keys_of(value)
    elif isinstance(content, list):
        for each in content:
            yield from keys_of(each)


class Tour:
    """One good answer of every route."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.bodies: dict[tuple[str, str], bytes] = {}
        person = self.ask("POST", "/v4/people", {"email": "tour@example.com", "password": PASSWORD, "name": "Tour"})
        self.ask("POST", "/v4/people", {"email": "linked@example.com"})
        made = self.ask("POST", OWN, {"lifetimeSeconds": 60, "description": "tour"})["tokenInfo"]
        add_verifier(server, "Tour")
        for path in ("/v4/people/current", "/v4/people", "/v4/settings", "/v4/auditEvents", "/v4/verifiers", OWN):
            self.ask("GET", path)
        self.ask("GET", OWN + "/{tokenId}", tokenId=made["tokenId"])
        for path in ("/v4/people/{id}", "/v4/people/{id}/apiAccessTokens"):
            self.ask("GET", path, id=person["id"])
        self.ask("PATCH", "/v4/people/{id}", {"name": "Toured"}, id=person["id"])
        self.ask("PATCH", "/v4/settings", {"tokens.retentionDays": 30})
        body = {"currentPassword": PASSWORD, "newPassword": NEW}
        self.ask("PUT", "/v4/people/current/password", body, email="tour@example.com")
        self.rows = self.secret_rows()
        self.ask("DELETE", OWN + "/{tokenId}", tokenId=made["tokenId"])
        self.ask("DELETE", "/v4/people/{id}", id=person["id"])
        for description in ("b", "a", "c"):
            server.create_token(description=description)  # lists with something to put in order

    def ask(self, method: str, path: str, body: Any = None, *, email: str = EMAIL, **parameters: str) -> Any:
        reply = self.server.request(method, path.format(**parameters), body, basic=(email, PASSWORD))
        assert reply.status < 300, (method, path, reply.body)
        self.bodies[method, path] = self.bodies.get((method, path), b"") + b"\n" + reply.body
        return reply.json if reply.body else None

    def secret_rows(self) -> list[bytes]:
        with closing(apsw.Connection(str(self.server.data / "gatepass.db"))) as database:
            return [
                value if isinstance(value, bytes) else value.encode()
                for query in (
                    "SELECT mac FROM tokens",
                    "SELECT hash FROM passwords",
                    "SELECT handle_hash FROM password_links",
                    "SELECT mac FROM verifiers",
                )
                for (value,) in database.execute(query)
            ]


@pytest.fixture(scope="module")
def tour(server: Server) -> Tour:
    return Tour(server)


def test_the_tour_visits_every_route(tour: Tour) -> None:
    assert set(tour.bodies) == {(operation.method, operation.path) for operation in OPERATIONS}


def test_no_field_of_any_answer_is_named_like_a_secret(tour: Tour) -> None:
    fields = {key for body in tour.bodies.values() for line in body.split() for key in keys_of(loaded(line))}
    assert {"tokenId", "isAdmin", "sequence", *SHOWN_ONCE} <= fields
    named = {field for field in fields for word in SECRET_WORDS if word in field.lower()}
    assert named - SHOWN_ONCE == set()


def loaded(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None  # a word out of the middle of a value


def test_nothing_secret_that_is_kept_stands_in_any_answer(tour: Tour) -> None:
    assert len(tour.rows) >= 4
    for route, body in tour.bodies.items():
        for row in tour.rows:
            for written in (row, row.hex().encode(), base64.b64encode(row), base64.urlsafe_b64encode(row)):
                assert written not in body, route


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        "sort=lastUsed",
        "order=desc",
        "orderBy=mac&direction=asc",
        "mac=00",
        "mac__startswith=a",
        "hash=x&salt=x",
        "lastLoginTime=x",
        "fields=mac,hash",
        "include=password",
        "filter%5Bmac%5D=a",
    ],
)
def test_a_list_knows_no_other_orders_and_filters(server: Server, tour: Tour, path: str, query: str) -> None:
    path = path.format(id=server.admin("GET", "/v4/people/current").json["id"])
    reply = server.admin("GET", f"{path}?{query}")
    assert (reply.status, reply.body) == (200, server.admin("GET", path).body)


def test_settings_sent_back_as_they_were_read_change_nothing(own_server: Server) -> None:
    changed = {"apiAccessTokens.usersMayGenerate": True, "apiAccessTokens.maximumLifetimeDays": 90}
    own_server.admin("PATCH", "/v4/settings", changed)
    value, _ = own_server.create_token()
    read = own_server.admin("GET", "/v4/settings").json
    events = len(own_server.admin("GET", "/v4/auditEvents").json["data"])
    reply = own_server.admin("PATCH", "/v4/settings", read)
    assert (reply.status, reply.json) == (200, read)
    assert own_server.admin("GET", "/v4/settings").json == read
    assert len(own_server.admin("GET", "/v4/auditEvents").json["data"]) == events
    assert own_server.request("GET", "/verify", bearer=value).status == 200


def test_a_person_sent_back_as_they_were_read_stays_the_same(server: Server) -> None:
    before = server.create_person("back@example.com", name="Back", isAdmin=True)
    server.admin("PATCH", f"/v4/people/{before['id']}", {"isDisabled": True})
    read = server.admin("GET", f"/v4/people/{before['id']}").json
    writable = {name: read[name] for name in ("email", "name", "isAdmin", "isDisabled")}
    assert server.admin("PATCH", f"/v4/people/{before['id']}", writable).status == 200
    assert server.admin("GET", f"/v4/people/{before['id']}").json == read
