"""PATCH of people (RFC 7644, 3.5.2) as Entra ID and Okta write it: all of a patch counts, or nothing of it."""

from typing import Any

import pytest

from support.pushing import ENTERPRISE, PATCH, USER, Directory, deactivation, patch


@pytest.mark.parametrize(
    "body",
    [
        deactivation(),
        deactivation("False", op="Replace"),
        deactivation("false", op="Add"),
        patch({"op": "replace", "value": {"active": False}}),
        patch({"op": "Replace", "value": {"ACTIVE": "False", "title": "none"}}),
        patch({"op": "replace", "path": f"{USER}:active", "value": False}),
        patch({"op": "add", "path": "Active", "value": True}, {"op": "replace", "path": "active", "value": False}),
        {"schemas": [PATCH.upper()], "operations": [{"OP": "replace", "PATH": "active", "VALUE": False}]},
    ],
)
def test_somebody_is_deactivated_in_all_these_words(corp: Directory, body: dict[str, Any]) -> None:
    told = corp.make()
    after = corp.ask("PATCH", told["id"], body)
    assert (after.status, after.json["active"]) == (200, False)
    assert after.json["displayName"] == told["displayName"]
    assert corp.ask("GET", told["id"]).json == after.json


def test_names_are_changed_in_one_patch(corp: Directory) -> None:
    told = corp.make()
    after = corp.ask(
        "PATCH",
        told["id"],
        patch(
            {"op": "Replace", "path": "userName", "value": f"new.{told['userName']}"},
            {"op": "Add", "path": "displayName", "value": "New"},
            {"op": "Replace", "path": "name.givenName", "value": "N."},
            {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "new@mail.example.com"},
            {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Sales"},
            {"op": "add", "value": {"name.familyName": "Other", f"{ENTERPRISE}:employeeNumber": "7", "title": None}},
            {"op": "replace", "path": "externalId", "value": told["externalId"]},
            {"op": "remove", "path": "phoneNumbers"},
        ),
    ).json
    assert (after["userName"], after["displayName"]) == (f"new.{told['userName']}", "New")
    assert after["active"] is True


@pytest.mark.parametrize(
    ("operations", "shown"),
    [
        ([{"op": "replace", "path": "name.formatted", "value": "F"}], "F"),
        ([{"op": "replace", "path": "name", "value": {"givenName": "G", "familyName": "L"}}], "G L"),
        (
            [
                {"op": "add", "path": "name.givenName", "value": "G"},
                {"op": "add", "value": {"name": {"familyName": "L"}}},
            ],
            "G L",
        ),
        ([{"op": "remove", "path": "displayName"}], None),
        ([{"op": "remove", "path": "name"}], None),
        ([{"op": "remove", "path": "name.formatted"}], None),
    ],
)
def test_the_shown_name_follows_the_name(corp: Directory, operations: list[dict[str, Any]], shown: str | None) -> None:
    told = corp.make()
    assert corp.ask("PATCH", told["id"], patch(*operations)).json.get("displayName") == shown


MALFORMED: dict[str, tuple[Any, str, str]] = {
    "no operations": ({"schemas": [PATCH]}, "invalidSyntax", "Operations: "),
    "an empty list": (patch(), "invalidSyntax", "Operations: "),
    "too many": (patch(*[{"op": "replace", "path": "title", "value": "x"}] * 101), "invalidSyntax", "Operations: "),
    "another schema": ({**deactivation(), "schemas": [USER]}, "invalidSyntax", "schemas: "),
    "no object": (patch(7), "invalidSyntax", "Operations[0]: "),
    "another op": (patch({"op": "move", "path": "active", "value": False}), "invalidSyntax", "Operations[0].op: "),
    "no op": (patch({"path": "active", "value": False}), "invalidSyntax", "Operations[0].op: "),
    "an op that is no text": (patch({"op": ["add"]}), "invalidSyntax", "Operations[0].op: "),
    "a path that is no text": (patch({"op": "add", "path": 1, "value": 1}), "invalidSyntax", "Operations[0].path: "),
    "no value": (patch({"op": "add", "path": "active"}), "invalidValue", "Operations[0].value: "),
    "no path for a value": (patch({"op": "add", "value": False}), "invalidValue", "Operations[0].value: "),
    "nothing to remove": (patch({"op": "remove"}), "noTarget", "Operations[0].path: "),
    "no such attribute": (patch({"op": "add", "path": "actve", "value": False}), "invalidPath", "actve: "),
    "no such attribute in a value": (patch({"op": "add", "value": {"actve": False}}), "invalidPath", "actve: "),
    "a part of what has none": (patch({"op": "add", "path": "active.x", "value": False}), "invalidPath", "active.x: "),
    "a choice of what is one": (
        patch({"op": "add", "path": "active[value eq true]", "value": False}),
        "invalidPath",
        "active[value eq true]: ",
    ),
    "a path that is none": (patch({"op": "add", "path": "a b", "value": 1}), "invalidPath", "a b: "),
    "the schema itself": (patch({"op": "add", "path": USER, "value": {"active": False}}), "invalidPath", "urn:"),
    "no truth": (deactivation("perhaps"), "invalidValue", "active: "),
    "a number": (deactivation(0), "invalidValue", "active: "),
    "a list": (deactivation([{"value": False}]), "invalidValue", "active: "),
    "a name that is no text": (
        patch({"op": "add", "path": "displayName", "value": 1}),
        "invalidValue",
        "displayName: ",
    ),
    "a name that is no object": (patch({"op": "add", "path": "name", "value": "x"}), "invalidValue", "name: "),
    "no name any more": (patch({"op": "remove", "path": "userName"}), "invalidValue", "userName: "),
    "neither active nor not": (patch({"op": "remove", "path": "active"}), "invalidValue", "active: "),
    "nobody any more": (patch({"op": "remove", "path": "externalId"}), "mutability", "externalId: "),
    "somebody else": (patch({"op": "replace", "path": "externalId", "value": "other"}), "mutability", "externalId: "),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_one_operation_that_is_wrong_is_named_and_undoes_the_others(corp: Directory, name: str) -> None:
    body, kind, said = MALFORMED[name]
    told = corp.make()
    operations = body.get("Operations")
    if operations and len(operations) == 1:
        body = {**body, "Operations": [*operations, {"op": "replace", "value": {"active": False, "displayName": "X"}}]}
        if said.startswith(("active: ", "displayName: ")) and kind == "invalidValue":
            body["Operations"].reverse()  # what is said last counts
    reply = corp.ask("PATCH", told["id"], body)
    assert (reply.status, reply.json["scimType"]) == (400, kind)
    assert reply.json["detail"].startswith(said)
    assert corp.ask("GET", told["id"]).json == told


def test_a_patch_of_nothing_that_is_kept_changes_nothing(corp: Directory) -> None:
    told = corp.make()
    assert corp.ask("PATCH", told["id"], patch({"op": "add", "path": "title", "value": "Dr."})).json == told
