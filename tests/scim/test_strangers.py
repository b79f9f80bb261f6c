"""Who is no directory learns nothing, and a directory learns of its own people alone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.openid import OpenId
from support.pushing import (
    CREDENTIALS,
    ERROR,
    NEXT_CREDENTIAL,
    TYPE,
    USERS,
    Directory,
    config,
    deactivation,
    entra_user,
    next_number,
    secrets_of_site,
)
from support.server import EMAIL, PASSWORD, Reply, Server, basic_header, gatepass, make_installation
from support.visitor import Visitor

PATHS = (
    USERS,
    f"{USERS}/x",
    "/scim/v2/ServiceProviderConfig",
    "/scim/v2/ResourceTypes",
    "/scim/v2/Schemas",
    "/scim/v2/Groups",
)
WRONG = {
    "nothing": None,
    "another": f"Bearer {'x' * 40}",
    "the beginning": f"Bearer {CREDENTIALS['CORP'][:-1]}",
    "more than it": f"Bearer {CREDENTIALS['CORP']}x",
    "two at once": f"Bearer {CREDENTIALS['CORP']},{CREDENTIALS['PARTNERS']}",
    "as a password": basic_header("corp", CREDENTIALS["CORP"]),
    "an administrator": basic_header(EMAIL, PASSWORD),
    "no text": "Bearer \xff\xfe",
    "empty": "Bearer ",
}


def ask(site: Server, value: str | None, path: str = USERS, method: str = "GET"):
    headers = {"Content-Type": TYPE} | ({"Authorization": value} if value is not None else {})
    return site.request(method, path, raw=b"{" if method != "GET" else None, headers=headers)


@pytest.mark.parametrize("name", WRONG)
def test_without_the_credential_everything_is_401_in_the_same_words(site: Server, name: str) -> None:
    for path in PATHS:
        reply = ask(site, WRONG[name], path)
        assert (reply.status, reply.headers["content-type"]) == (401, TYPE)
        assert reply.body == ask(site, WRONG["another"]).body
        assert reply.json["schemas"] == [ERROR]
        assert reply.headers["www-authenticate"].startswith("Bearer")
        assert "Basic" not in reply.headers["www-authenticate"]
    assert ask(site, WRONG[name], method="POST").status == 401  # whatever the body


def test_a_token_of_an_administrator_is_no_credential(site: Server) -> None:
    value, _ = site.create_token()
    assert ask(site, f"Bearer {value}").status == 401


def test_a_session_is_no_credential(site: Server) -> None:
    assert Visitor(site).sign_in().get(USERS).status == 401


def test_the_credential_is_good_for_nothing_else(site: Server) -> None:
    for path in ("/v4/people", "/v4/people/current", "/v4/settings", "/verify"):
        assert site.request("GET", path, bearer=CREDENTIALS["CORP"]).status == 401


def test_two_credentials_hold_while_one_takes_the_place_of_the_other(site: Server) -> None:
    found = {ask(site, f"Bearer {each}").body for each in (CREDENTIALS["PARTNERS"], NEXT_CREDENTIAL)}
    assert len(found) == 1
    assert ask(site, f"Bearer {NEXT_CREDENTIAL}").status == 200


def test_who_pushes_is_listed_and_its_credential_is_hidden(site: Server) -> None:
    env = {each: value for each, value in secrets_of_site().items() if "PARTNERS" not in each}
    listed = gatepass("idp", "list", "--data", str(site.data), "--json", env=env)
    can = {each["id"]: each["can"] for each in json.loads(listed.stdout)["data"]}
    assert can == {"corp": ["redirect", "pushing"], "partners": ["redirect"], "silent": ["redirect"]}
    shown = gatepass("config", "show", "--data", str(site.data), env=env)
    assert "providers.corp.scim_credential" in shown.stdout
    assert CREDENTIALS["CORP"] not in shown.stdout


def test_the_people_of_others_are_not_there(site: Server, corp: Directory, partners: Directory) -> None:
    theirs = partners.make(entra_user(next_number()))
    nobody = corp.ask("GET", "00000000-0000-7000-8000-000000000000")
    me = site.admin("GET", "/v4/people/current").json["id"]
    for person in (theirs["id"], me, "x", "..", theirs["id"].upper()):
        for method, body in (
            ("GET", None),
            ("PUT", entra_user(next_number())),
            ("PATCH", deactivation()),
            ("DELETE", None),
        ):
            reply = corp.ask(method, person, body)
            assert (reply.status, reply.body) == (404, nobody.body)
    for wanted in (
        f'userName eq "{theirs["userName"]}"',
        f'externalId eq "{theirs["externalId"]}"',
        f'userName eq "{EMAIL}"',
    ):
        assert corp.find(wanted)["totalResults"] == 0
    assert theirs["id"] not in str(corp.ask("GET").json)
    assert partners.ask("GET", theirs["id"]).json == theirs


def test_other_methods_and_paths_are_told_as_scim_does(corp: Directory) -> None:
    reply = corp.ask("DELETE", USERS)
    assert (reply.status, reply.headers["allow"], reply.headers["content-type"]) == (405, "GET, POST", TYPE)
    for path in ("/scim/v2/Groups/x", "/scim/v2/Me", "/scim/v2/Bulk", "/scim/v2/", "/scim/", "/scim/v2/Users/a/b"):
        reply = corp.ask("GET", path)
        assert (reply.status, reply.headers["content-type"], reply.json["schemas"]) == (404, TYPE, [ERROR])


def test_no_credential_and_no_name_is_in_the_log(site: Server, corp: Directory) -> None:
    told = corp.make()
    corp.find(f'userName eq "{told["userName"]}"')
    ask(site, WRONG["another"])
    log = site.log.read_text()
    assert '"door"' in log or "/scim/v2/Users" in log
    assert '"provider": "corp"' in log
    for secret in (*CREDENTIALS.values(), NEXT_CREDENTIAL, "x" * 40, told["userName"]):
        assert secret not in log


@pytest.fixture
def unlike(running: OpenId, tmp_path: Path) -> Iterator[Server]:
    """The same site, where nobody pushes."""
    make_installation(tmp_path / "data")
    (tmp_path / "data" / "gatepass.toml").write_text(config(running.issuer))
    silent = {name: each for name, each in secrets_of_site().items() if not name.endswith("SCIM_CREDENTIAL")}
    with Server(tmp_path / "data", env=silent) as started:
        yield started


def test_where_nobody_pushes_there_is_no_such_route(unlike: Server) -> None:
    def told(reply: Reply) -> tuple[int, bytes, str]:
        return reply.status, re.sub(rb'"server-time" content="[^"]*"', b"", reply.body), reply.headers["content-type"]

    other = told(unlike.request("GET", "/nowhere/v2/Users"))
    assert other[0] == 404
    for path in (*PATHS, "/scim/", "/scim/v2/x"):
        for value in (None, f"Bearer {CREDENTIALS['CORP']}"):
            assert told(ask(unlike, value, path)) == other


@pytest.fixture
def watched(running: OpenId, tmp_path: Path) -> Iterator[Server]:
    """The site with few tries a minute."""
    make_installation(tmp_path / "data")
    (tmp_path / "data" / "gatepass.toml").write_text(config(running.issuer))
    few = {"GATEPASS_SIGN_IN__UNKNOWN_TOKENS_PER_MINUTE": "3"}
    with Server(tmp_path / "data", env={**secrets_of_site(), **few}) as started:
        yield started


def test_guessing_is_slowed_down_and_the_right_credential_never_is(watched: Server) -> None:
    statuses = [ask(watched, WRONG["another"]).status for _ in range(9)]  # a minute may end in between
    assert set(statuses) == {401, 429}
    reply = ask(watched, WRONG["another"])
    if reply.status == 429:
        assert (reply.json["status"], 1 <= int(reply.headers["retry-after"]) <= 60) == ("429", True)
    assert ask(watched, f"Bearer {CREDENTIALS['CORP']}").status == 200
