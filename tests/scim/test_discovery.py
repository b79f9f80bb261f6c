"""What the door says of itself, and that it is true."""

from support.pushing import USER, USERS, Directory

ROOT = "/scim/v2"


def test_what_is_supported_is_said(corp: Directory) -> None:
    said = corp.ask("GET", f"{ROOT}/ServiceProviderConfig").json
    supported = {
        name: each["supported"] for name, each in said.items() if isinstance(each, dict) and "supported" in each
    }
    assert supported == {
        "patch": True,
        "bulk": False,
        "filter": True,
        "changePassword": False,
        "sort": False,
        "etag": False,
    }
    assert [each["type"] for each in said["authenticationSchemes"]] == ["oauthbearertoken"]
    assert said["meta"]["location"] == f"{corp.server.url}{ROOT}/ServiceProviderConfig"
    assert "etag" not in corp.ask("GET", USERS).headers


def test_users_are_the_one_type(corp: Directory) -> None:
    listed = corp.ask("GET", f"{ROOT}/ResourceTypes").json
    assert (listed["totalResults"], listed["itemsPerPage"]) == (1, 1)
    (user,) = listed["Resources"]
    assert corp.ask("GET", user["meta"]["location"].removeprefix(corp.server.url)).json == user
    assert (user["endpoint"], user["schema"], user["schemaExtensions"]) == ("/Users", USER, [])
    assert corp.ask("GET", f"{ROOT}/ResourceTypes/Group").status == 404


def test_the_schema_has_what_a_person_has(corp: Directory) -> None:
    (schema,) = corp.ask("GET", f"{ROOT}/Schemas").json["Resources"]
    assert corp.ask("GET", f"{ROOT}/Schemas/{USER}").json == schema
    told = corp.make()
    # What every resource has stands in no schema (RFC 7643, 3.1).
    assert {each["name"] for each in schema["attributes"]} == told.keys() - {"schemas", "id", "externalId", "meta"}
    assert corp.ask("GET", f"{ROOT}/Schemas/urn:x").status == 404


def test_what_is_described_takes_no_filter(corp: Directory) -> None:
    for path in ("ResourceTypes", "Schemas"):
        assert corp.ask("GET", f"{ROOT}/{path}?filter=x").status == 403


def test_there_are_no_groups_to_be_found_or_made(corp: Directory) -> None:
    found = corp.ask("GET", f'{ROOT}/Groups?excludedAttributes=members&filter=displayName+eq+"x"').json
    assert (found["totalResults"], found["Resources"]) == (0, [])
    assert corp.ask("POST", f"{ROOT}/Groups", {"displayName": "x"}).status == 405
