"""People pushed by SCIM: made, found, listed, replaced and deleted, in the words of Entra ID and Okta."""

from urllib.parse import quote
from uuid import uuid4

import pytest

from support.pushing import (
    ENTERPRISE,
    ERROR,
    TYPE,
    USER,
    USERS,
    Directory,
    deactivation,
    entra_user,
    next_number,
    okta_user,
)
from support.server import PASSWORD, Server


@pytest.mark.parametrize("kind", [entra_user, okta_user])
def test_who_is_pushed_is_told_with_an_id_and_a_place(corp: Directory, kind) -> None:
    body = kind(next_number())
    made = corp.ask("POST", "", body)
    assert (made.status, made.headers["content-type"], made.headers["cache-control"]) == (201, TYPE, "no-store")
    told = made.json
    assert made.headers["location"] == told["meta"]["location"] == f"{corp.server.url}{USERS}/{told['id']}"
    assert told["schemas"] == [USER]
    for name in ("userName", "externalId", "displayName", "active"):
        assert told[name] == body[name]
    assert corp.ask("GET", told["id"]).json == told
    assert corp.server.admin("GET", f"/v4/people/{told['id']}").json["email"] == body["userName"]


def test_what_is_not_kept_is_not_told_and_no_password_is_kept(corp: Directory) -> None:
    number = next_number()
    told = corp.make(okta_user(number, **{ENTERPRISE: {"department": "Research"}}))
    assert told.keys() == {"schemas", "id", "externalId", "userName", "displayName", "name", "active", "meta"}
    reply = corp.server.request("GET", "/v4/people/current", basic=(told["userName"], "1mz050nq"))
    assert reply.status == 401
    assert "1mz050nq" not in corp.server.log.read_text()


def test_attributes_have_no_case_and_may_have_their_schema_before_them(corp: Directory) -> None:
    number = next_number()
    told = corp.make(
        {
            "SCHEMAS": [USER.upper()],
            "USERNAME": f"person{number}@example.com",
            "externalid": f"oid-{number}",
            f"{USER}:displayName": "Somebody",
            "ACTIVE": "False",
        }
    )
    assert (told["userName"], told["displayName"], told["active"]) == (f"person{number}@example.com", "Somebody", False)


def test_a_login_is_a_name_here_with_the_provider_after_it(corp: Directory) -> None:
    number = next_number()
    told = corp.make(entra_user(number, userName=f"Login.{number}"))
    assert told["userName"] == f"login.{number}"
    assert corp.server.admin("GET", f"/v4/people/{told['id']}").json["email"] == f"login.{number}@corp"
    assert corp.find(f'userName eq "LOGIN.{number}"')["Resources"] == [told]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ({"givenName": "Ann", "familyName": "Lee"}, "Ann Lee"),
        ({"familyName": "Lee"}, "Lee"),
        ({"formatted": "A. Lee", "givenName": "Ann"}, "A. Lee"),
        ({"Formatted": " A.\u202e \n Lee "}, "A. Lee"),
        ({"givenName": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_without_a_display_name_the_name_is_shown(corp: Directory, name: object, shown: str | None) -> None:
    told = corp.make(entra_user(next_number(), displayName=None, name=name))
    assert told.get("displayName") == shown


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"userName": None}, "invalidValue", "userName: is required"),
        ({"externalId": None}, "invalidValue", "externalId: is required"),
        ({"userName": ""}, "invalidValue", "userName: must be an ASCII"),
        ({"userName": "müller@example.com"}, "invalidValue", "userName: must be an ASCII"),
        ({"userName": "two words"}, "invalidValue", "userName: must be an ASCII"),
        ({"userName": ["x"]}, "invalidValue", "userName: must be text"),
        ({"externalId": 7}, "invalidValue", "externalId: must be text"),
        ({"externalId": ""}, "invalidValue", "externalId: must be 1 to 255"),
        ({"externalId": "a\u0007"}, "invalidValue", "externalId: must be 1 to 255"),
        ({"active": "perhaps"}, "invalidValue", "active: must be true or false"),
        ({"active": 0}, "invalidValue", "active: must be true or false"),
        ({"displayName": {}}, "invalidValue", "displayName: must be text"),
        ({"displayName": None, "name": "Ann"}, "invalidValue", "name: must be an object"),
        ({"displayName": None, "name": {"givenName": 1}}, "invalidValue", "name.givenName: must be text"),
        ({"schemas": None}, "invalidSyntax", "schemas: must have"),
        ({"schemas": [ENTERPRISE]}, "invalidSyntax", "schemas: must have"),
        ({"USERNAME": "x"}, "invalidSyntax", "userName: is given twice"),
    ],
)
def test_what_cannot_be_read_is_named_and_makes_nobody(corp: Directory, changes, kind: str, said: str) -> None:
    number = next_number()
    reply = corp.ask("POST", "", entra_user(number, **changes))
    assert (reply.status, reply.headers["content-type"]) == (400, TYPE)
    told = reply.json
    assert (told["schemas"], told["status"], told["scimType"]) == ([ERROR], "400", kind)
    assert told["detail"].startswith(said)
    assert corp.find(f'externalId eq "oid-{number}"')["totalResults"] == 0


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b'{"a": 1, "a": 2}', b"[" * 10_000, b"null"])
def test_a_body_that_is_none_is_a_syntax_error(corp: Directory, raw: bytes) -> None:
    sent = {"Content-Type": TYPE, "Authorization": f"Bearer {corp.credential}"}
    reply = corp.server.request("POST", USERS, raw=raw, headers=sent)
    assert (reply.status, reply.json["scimType"]) == (400, "invalidSyntax")


def test_a_body_that_is_too_long_or_of_another_type_is_refused(corp: Directory) -> None:
    number = next_number()
    assert corp.ask("POST", "", entra_user(number, title="x" * 70_000)).status == 413
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert corp.ask("POST", "", entra_user(number), **{"Content-Type": kind}).status == 415
    assert corp.ask("POST", "", entra_user(number), **{"Content-Type": "Application/JSON; charset=utf-8"}).status == 201


def test_who_is_there_already_is_a_conflict(corp: Directory, partners: Directory) -> None:
    number = next_number()
    body = entra_user(number)
    corp.make(body)
    for each, directory in (
        (body, corp),
        ({**body, "userName": f"other{number}@example.com"}, corp),
        ({**body, "externalId": "another"}, corp),
        (body, partners),
        ({**body, "userName": "admin@example.com", "externalId": "another"}, corp),
    ):
        reply = directory.ask("POST", "", each)
        assert (reply.status, reply.json["status"], reply.json["scimType"]) == (409, "409", "uniqueness")
    assert partners.find('externalId eq "another"')["totalResults"] == 0


def test_somebody_is_found_by_either_name(corp: Directory) -> None:
    number = next_number()
    told = corp.make(entra_user(number))
    for wanted in (
        f'userName eq "person{number}@example.com"',
        f'USERNAME EQ "PERSON{number}@example.com"',
        f'externalId eq "oid-{number}"',
        f'{USER}:externalId eq "oid-{number}"',
        f'externalId eq "oid\\u002d{number}"',
    ):
        found = corp.find(wanted)
        assert (found["totalResults"], found["Resources"]) == (1, [told])
    for wanted in (f'userName eq "{uuid4()}"', f'externalId eq "OID-{number}"', 'userName eq ""'):
        found = corp.find(wanted)
        assert (found["totalResults"], found["itemsPerPage"], found["Resources"]) == (0, 0, [])


def test_a_page_of_one_that_was_found(corp: Directory) -> None:
    wanted = f'externalId eq "{corp.make()["externalId"]}"'
    assert corp.find(wanted, startIndex="2")["Resources"] == []
    none = corp.find(wanted, count="0")
    assert (none["totalResults"], none["Resources"]) == (1, [])


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "userName",
        'userName sw "a"',
        'displayName eq "a"',
        "active eq true",
        "userName eq admin",
        "userName eq 'a'",
        'userName eq "a" or externalId eq "b"',
        'userName eq "a',
        'userName eq "\\x"',
        'not (userName eq "a")',
        'userName eq "a"\x00',
    ],
)
def test_any_other_filter_is_refused(corp: Directory, wanted: str) -> None:
    reply = corp.ask("GET", f"{USERS}?filter={quote(wanted)}")
    assert (reply.status, reply.json["scimType"]) == (400, "invalidFilter")


@pytest.mark.parametrize("wanted", ["", "\\u0000", "\\ud800", "x" * 256])
def test_what_nobody_can_be_called_is_looked_for_nowhere(corp: Directory, wanted: str) -> None:
    reply = corp.ask("GET", f"{USERS}?filter=externalId+eq+%22{quote(wanted)}%22")
    assert (reply.status, reply.json["detail"].partition(":")[0]) == (400, "externalId")
    assert corp.find(f'userName eq "{wanted}"')["totalResults"] == 0


def test_people_are_listed_in_parts(partners: Directory) -> None:
    made = [partners.make(okta_user(next_number()))["id"] for _ in range(5)]
    total = partners.ask("GET").json["totalResults"]
    start, seen = 1, []
    while start <= total:
        part = partners.ask("GET", f"{USERS}?startIndex={start}&count=2").json
        assert (part["totalResults"], part["startIndex"]) == (total, start)
        assert part["itemsPerPage"] == len(part["Resources"]) <= 2
        seen += [each["id"] for each in part["Resources"]]
        start += 2
    assert seen[-5:] == made
    assert len(seen) == len(set(seen)) == total
    beyond = partners.ask("GET", f"{USERS}?startIndex={total + 1}").json
    assert (beyond["totalResults"], beyond["Resources"]) == (total, [])


def test_numbers_of_a_list_are_bounded_and_read(partners: Directory) -> None:
    partners.make(okta_user(next_number()))
    first = partners.ask("GET", f"{USERS}?startIndex=-3&count=1").json
    assert (first["startIndex"], first["itemsPerPage"]) == (1, 1)
    none = partners.ask("GET", f"{USERS}?count=-1").json
    assert (none["itemsPerPage"], none["totalResults"] > 0) == (0, True)
    assert partners.ask("GET", f"{USERS}?count=99999&aadOptscim062020").status == 200
    for query in ("count=x", "startIndex=1.5", "count=", "count=99999999999"):
        reply = partners.ask("GET", f"{USERS}?{query}")
        assert (reply.status, reply.json["detail"].partition(":")[0]) == (400, query.partition("=")[0])


def test_a_directory_chooses_what_it_is_told(corp: Directory) -> None:
    told = corp.make()
    everything = told.keys()
    for query, names in (
        ("attributes=userName", {"userName"}),
        (f"attributes={USER}:ACTIVE,name.formatted", {"active", "name"}),
        ("attributes=emails", set()),
        ("excludedAttributes=displayName,id,meta", everything - {"displayName", "meta"}),
        ("attributes=", everything),
    ):
        wanted = {name: told[name] for name in (*names, "id", "schemas")}
        assert corp.ask("GET", f"{told['id']}?{query}").json == wanted
        found = corp.ask("GET", f"{USERS}?filter=externalId+eq+%22{told['externalId']}%22&{query}").json
        assert found["Resources"] == [wanted]
    for method, body in (("GET", None), ("PATCH", deactivation())):
        reply = corp.ask(method, f"{told['id']}?attributes=active&excludedAttributes=name", body)
        assert (reply.status, reply.json["scimType"]) == (400, "invalidSyntax")
    assert corp.ask("GET", told["id"]).json == told


def test_replacing_changes_what_is_said_and_leaves_the_rest(corp: Directory) -> None:
    number = next_number()
    told = corp.make(entra_user(number))
    body = {"schemas": [USER], "userName": f"renamed{number}@example.com", "displayName": "Renamed", "id": "ignored"}
    after = corp.ask("PUT", told["id"], body)
    assert (after.status, after.json["displayName"], after.json["active"]) == (200, "Renamed", True)
    assert (after.json["id"], after.json["externalId"]) == (told["id"], told["externalId"])
    assert corp.server.admin("GET", f"/v4/people/{told['id']}").json["email"] == f"renamed{number}@example.com"
    assert corp.ask("PUT", told["id"], {**body, "active": False}).json["active"] is False


def test_somebody_cannot_be_replaced_by_somebody_else(corp: Directory) -> None:
    told = corp.make(entra_user(next_number()))
    body = entra_user(next_number(), active=False)
    reply = corp.ask("PUT", told["id"], body)
    assert (reply.status, reply.json["scimType"]) == (400, "mutability")
    assert reply.json["detail"].startswith("externalId: ")
    assert corp.ask("GET", told["id"]).json == told
    reply = corp.ask("PUT", told["id"], {**body, "userName": None})
    assert reply.json["detail"] == "userName: is required"


def test_a_name_that_is_taken_replaces_nothing(corp: Directory) -> None:
    told, other = corp.make(), corp.make()
    body = {"schemas": [USER], "userName": other["userName"], "active": False}
    reply = corp.ask("PUT", told["id"], body)
    assert (reply.status, reply.json["scimType"]) == (409, "uniqueness")
    assert corp.ask("GET", told["id"]).json == told


def test_who_is_deleted_is_gone_and_may_be_pushed_anew(corp: Directory) -> None:
    body = entra_user(next_number())
    told = corp.make(body)
    gone = corp.ask("DELETE", told["id"])
    assert (gone.status, gone.body) == (204, b"")
    for method, sent in (("GET", None), ("DELETE", None), ("PUT", body), ("PATCH", None)):
        reply = corp.ask(method, told["id"], deactivation() if method == "PATCH" else sent)
        assert (reply.status, reply.json["status"], reply.json["schemas"]) == (404, "404", [ERROR])
    assert corp.make(body)["id"] != told["id"]


def test_what_was_pushed_is_in_the_audit_log_as_the_providers_doing(corp: Directory, site: Server) -> None:
    told = corp.make(entra_user(next_number(), active=False))
    corp.ask("DELETE", told["id"])
    records = [
        each for each in site.admin("GET", "/v4/auditEvents?limit=1000").json["data"] if each["subjectId"] == told["id"]
    ]
    assert [each["action"] for each in records] == ["person.created", "person.disabled", "person.deleted"]
    assert {(each["credential"], each["actorEmail"], each["actorId"]) for each in records} == {
        ("provider", "corp", None)
    }
    assert records[1]["details"] == {"provider": "corp", "reason": "deactivated"}
    assert PASSWORD not in str(records)
