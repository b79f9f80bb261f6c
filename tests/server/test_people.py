"""REST: people, passwords, settings and the audit log."""

import pytest

from support.server import EMAIL, PASSWORD, Server
from support.visitor import Visitor

PERSON = {"id", "email", "name", "isAdmin", "isDisabled", "provider", "createdAt", "updatedAt", "lastLoginTime"}
NEW = "another good sentence"


@pytest.fixture
def maria(server: Server, request: pytest.FixtureRequest) -> tuple[str, str]:
    """Somebody ordinary, new for each test: their id and address."""
    person = server.create_person(f"maria-{abs(hash(request.node.name))}@example.com", name="Maria")
    return person["id"], person["email"]


def test_current_is_oneself(server: Server, maria: tuple[str, str]) -> None:
    reply = server.request("GET", "/v4/people/current", basic=(maria[1].upper(), PASSWORD))
    assert reply.status == 200
    assert reply.json.keys() == PERSON
    assert (reply.json["id"], reply.json["isAdmin"], reply.json["isDisabled"]) == (maria[0], False, False)
    assert reply.json["lastLoginTime"] is not None
    assert reply.json["provider"] == "local"


def test_adding_without_a_password_gives_a_link_once(server: Server) -> None:
    reply = server.admin("POST", "/v4/people", {"email": "linked@example.com", "name": None})
    assert reply.status == 201
    url = reply.json["setPasswordUrl"]
    assert url.startswith(f"{server.url}/set-password?link=")
    assert "setPasswordUrl" not in server.admin("GET", f"/v4/people/{reply.json['id']}").json
    path = url.removeprefix(server.url)
    done = Visitor(server).submit(path, "/set-password", password=NEW, again=NEW)
    assert done.status == 303
    assert server.request("GET", "/v4/people/current", basic=("linked@example.com", NEW)).status == 200


def test_adding_with_a_password_gives_no_link(server: Server) -> None:
    reply = server.admin("POST", "/v4/people", {"email": "direct@example.com", "password": PASSWORD, "isAdmin": True})
    assert reply.json.keys() == PERSON
    assert reply.json["isAdmin"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "none"}, "email"),
        ({"email": 1}, "email"),
        ({"email": "é@example.com"}, "email"),
        ({"email": "x@example.com", "password": "short"}, "password"),
        ({"email": "x@example.com", "password": "x" * 1025}, "password"),
        ({"email": "x@example.com", "password": "123456789123456789"}, "password"),
        ({"email": "x@example.com", "name": "a\nb"}, "name"),
        ({"email": "x@example.com", "isAdmin": "true"}, "isAdmin"),
        ({"email": "x@example.com", "isDisabled": True}, "isDisabled"),
        ({"email": "x@example.com", "id": "x"}, "id"),
    ],
)
def test_adding_somebody_who_cannot_be_is_400_and_names_the_field(server: Server, body: dict, field: str) -> None:
    reply = server.admin("POST", "/v4/people", body)
    assert (reply.status, reply.error) == (400, "ValidationFailed")
    assert reply.details.startswith(f"{field}: ")
    assert server.admin("GET", "/v4/people?q=x@example.com").json == {"data": []}


def test_an_address_that_is_taken_in_another_case_is_409(server: Server) -> None:
    reply = server.admin("POST", "/v4/people", {"email": EMAIL.upper()})
    assert (reply.status, reply.error) == (409, "ConflictException")


def test_changing_answers_with_id_and_time(server: Server, maria: tuple[str, str]) -> None:
    reply = server.admin("PATCH", f"/v4/people/{maria[0]}", {"name": "Mia", "isAdmin": True})
    assert reply.status == 200
    assert reply.json.keys() == {"id", "updatedAt"}
    found = server.admin("GET", f"/v4/people/{maria[0]}").json
    assert (found["name"], found["isAdmin"], found["updatedAt"]) == ("Mia", True, reply.json["updatedAt"])


@pytest.mark.parametrize(
    "body", [{"password": NEW}, {"id": "x"}, {"name": None}, {"isAdmin": 1}, {"isDisabled": "no"}, {"createdAt": "x"}]
)
def test_changing_what_cannot_be_changed_is_400(server: Server, maria: tuple[str, str], body: dict) -> None:
    before = server.admin("GET", f"/v4/people/{maria[0]}").json
    reply = server.admin("PATCH", f"/v4/people/{maria[0]}", {"name": "Mia", **body})
    assert reply.status == 400
    assert reply.details.startswith(f"{next(iter(body))}: ")
    assert server.admin("GET", f"/v4/people/{maria[0]}").json == before


def test_ordinary_people_rename_themselves_and_get_403_for_rights_and_lists(
    server: Server, maria: tuple[str, str]
) -> None:
    def ask(method: str, path: str, body: object = None):
        return server.request(method, path, body, basic=(maria[1], PASSWORD))

    me = f"/v4/people/{maria[0]}"
    assert ask("PATCH", me, {"name": "Mia"}).status == 200
    assert ask("GET", me).status == 200
    for method, path, body in (
        ("PATCH", me, {"isAdmin": True}),
        ("PATCH", me, {"isDisabled": False}),
        ("PATCH", me, {"email": "other@example.com"}),
        ("DELETE", me, None),
        ("GET", "/v4/people", None),
        ("POST", "/v4/people", {"email": "new@example.com"}),
        ("GET", "/v4/settings", None),
        ("PATCH", "/v4/settings", {"tokens.retentionDays": 1}),
        ("GET", "/v4/auditEvents", None),
    ):
        reply = ask(method, path, body)
        assert (reply.status, reply.error) == (403, "AccessControlException"), (method, path)


def test_ordinary_people_get_404_for_everybody_else(server: Server, maria: tuple[str, str]) -> None:
    admin_id = server.admin("GET", "/v4/people/current").json["id"]
    for other in (admin_id, "01a20d1f-00c9-7000-b8dc-c8f9fd073580", "nonsense"):
        for method, path, body in (
            ("GET", f"/v4/people/{other}", None),
            ("PATCH", f"/v4/people/{other}", {"isAdmin": True}),
            ("PATCH", f"/v4/people/{other}", {"name": "x"}),
            ("DELETE", f"/v4/people/{other}", None),
            ("GET", f"/v4/people/{other}/apiAccessTokens", None),
        ):
            reply = server.request(method, path, body, basic=(maria[1], PASSWORD))
            assert (reply.status, reply.error) == (404, "DataNotFoundException"), (method, path)


def test_deleting_is_204_then_404_and_the_address_is_free(server: Server, maria: tuple[str, str]) -> None:
    assert server.admin("DELETE", f"/v4/people/{maria[0]}").status == 204
    for method in ("GET", "DELETE"):
        assert server.admin(method, f"/v4/people/{maria[0]}").status == 404
    assert server.request("GET", "/v4/people/current", basic=(maria[1], PASSWORD)).status == 401
    again = server.create_person(maria[1])
    assert again["id"] != maria[0]


def test_the_last_administrator_is_409(own_server: Server) -> None:
    me = own_server.admin("GET", "/v4/people/current").json["id"]
    for method, body in (("DELETE", None), ("PATCH", {"isAdmin": False}), ("PATCH", {"isDisabled": True})):
        reply = own_server.admin(method, f"/v4/people/{me}", body)
        assert (reply.status, reply.error) == (409, "ConflictException")


def test_a_password_is_changed_by_basic_and_not_by_token(server: Server, maria: tuple[str, str]) -> None:
    body = {"currentPassword": PASSWORD, "newPassword": NEW}
    value, _ = server.create_token()
    path = "/v4/people/current/password"
    assert server.request("PUT", path, body, bearer=value).status == 403
    wrong = server.request("PUT", path, {**body, "currentPassword": "wrong"}, basic=(maria[1], PASSWORD))
    assert (wrong.status, wrong.details) == (400, "currentPassword: is not your password")
    weak = server.request("PUT", path, {**body, "newPassword": "short"}, basic=(maria[1], PASSWORD))
    assert (weak.status, weak.details) == (400, "newPassword: must have 15 to 1024 bytes, has 5")
    assert server.request("PUT", path, body, basic=(maria[1], PASSWORD)).status == 204
    assert server.request("GET", "/v4/people/current", basic=(maria[1], PASSWORD)).status == 401
    assert server.request("GET", "/v4/people/current", basic=(maria[1], NEW)).status == 200


def test_settings_are_one_flat_object_and_any_subset_is_changed(own_server: Server) -> None:
    before = own_server.admin("GET", "/v4/settings").json
    assert before == {
        "apiAccessTokens.enabled": True,
        "apiAccessTokens.usersMayGenerate": False,
        "apiAccessTokens.maximumLifetimeDays": -1,
        "tokens.retentionDays": 400,
        "verifiers.boundSeconds": 5,
        "verifiers.graceSeconds": 0,
    }
    reply = own_server.admin("PATCH", "/v4/settings", {"tokens.retentionDays": 30})
    assert (reply.status, reply.json) == (200, {**before, "tokens.retentionDays": 30})
    assert own_server.admin("PATCH", "/v4/settings", {}).json == reply.json


@pytest.mark.parametrize(
    "body",
    [
        {"tokens.retentionDays": 0},
        {"verifiers.boundSeconds": 0},
        {"verifiers.boundSeconds": 61},
        {"verifiers.graceSeconds": -1},
        {"verifiers.graceSeconds": 3601},
        {"apiAccessTokens.maximumLifetimeDays": 0},
        {"apiAccessTokens.maximumLifetimeDays": 36_501},
        {"apiAccessTokens.maximumLifetimeDays": 1.5},
        {"apiAccessTokens.enabled": "false"},
        {"apiAccessTokens.enabled": None},
        {"unknown.setting": 1},
    ],
)
def test_a_bad_setting_is_400_and_none_is_changed(server: Server, body: dict) -> None:
    before = server.admin("GET", "/v4/settings").json
    reply = server.admin("PATCH", "/v4/settings", {"tokens.retentionDays": 7, **body})
    assert reply.status == 400
    assert reply.details.startswith(f"{next(iter(body))}: ")
    assert server.admin("GET", "/v4/settings").json == before


def test_settings_hold_on_the_next_request(own_server: Server) -> None:
    value, _ = own_server.create_token()
    for enabled, status in ((False, 401), (True, 200)) * 3:
        own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.enabled": enabled})
        assert own_server.request("GET", "/verify", bearer=value).status == status


def test_the_audit_log_tells_who_what_when_and_from_where(server: Server) -> None:
    headers = {"X-Request-Id": "audit-test-1"}
    made = server.request(
        "POST", "/v4/apiAccessTokens", {"lifetimeSeconds": 60}, basic=(EMAIL, PASSWORD), headers=headers
    )
    event = server.admin("GET", "/v4/auditEvents?limit=1000").json["data"][-1]
    assert event["action"] == "token.created"
    assert event["subjectId"] == made.json["tokenInfo"]["tokenId"]
    assert (event["actorEmail"], event["credential"], event["address"]) == (EMAIL, "password", "127.0.0.1")
    assert event["requestId"] == "audit-test-1"
    assert event["details"] == {"expiredAt": made.json["tokenInfo"]["expiredAt"]}


def test_details_of_events_are_named_as_the_api_names_them(server: Server) -> None:
    server.create_person("named@example.com", isAdmin=True)
    created = [
        event for event in server.admin("GET", "/v4/auditEvents").json["data"] if event["action"] == "person.created"
    ]
    assert created[-1]["details"] == {"email": "named@example.com", "isAdmin": True}


def test_the_audit_log_is_read_page_by_page(server: Server) -> None:
    whole = [event["sequence"] for event in server.admin("GET", "/v4/auditEvents").json["data"]]
    assert whole == list(range(1, len(whole) + 1))
    walked, path = [], "/v4/auditEvents?limit=3"
    while path:
        reply = server.admin("GET", path)
        walked += [event["sequence"] for event in reply.json["data"]]
        link = reply.headers["link"]
        path = link[1:].partition(">")[0] if link else ""
    assert walked[: len(whole)] == whole
