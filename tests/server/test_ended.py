"""Somebody is disabled or deleted, or tokens are switched off: every credential at every door."""

from collections.abc import Callable
from contextlib import closing
from uuid import UUID

import apsw
import pytest

from support.server import PASSWORD, Reply, Server
from support.visitor import Visitor

HOME = "/settings/access-tokens"
EMAIL = "maria@example.com"


class Maria:
    """Somebody ordinary with a token, a password and a session."""

    def __init__(self, server: Server) -> None:
        server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
        self.server = server
        self.id: str = server.create_person(EMAIL)["id"]
        self.value, _ = server.create_token(basic=(EMAIL, PASSWORD))
        self.visitor = Visitor(server).sign_in(EMAIL, PASSWORD)

    def ask(self, credential: str, path: str) -> Reply:
        if credential == "token":
            return self.server.request("GET", path, bearer=self.value)
        if credential == "password":
            return self.server.request("GET", path, basic=(EMAIL, PASSWORD))
        return self.visitor.get(path)


@pytest.fixture
def maria(own_server: Server) -> Maria:
    return Maria(own_server)


def disabled(maria: Maria) -> None:
    assert maria.server.admin("PATCH", f"/v4/people/{maria.id}", {"isDisabled": True}).status == 200


def deleted(maria: Maria) -> None:
    assert maria.server.admin("DELETE", f"/v4/people/{maria.id}").status == 204


def off(maria: Maria) -> None:
    assert maria.server.admin("PATCH", "/v4/settings", {"apiAccessTokens.enabled": False}).status == 200


DOORS = ("/v4/people/current", "/verify", HOME)
TO_SIGN_IN = 303
BEFORE = {"token": (200, 200, 401), "password": (200, 401, 401), "session": (200, 401, 200)}
AFTER = {"token": (401, 401, 401), "password": (401, 401, 401), "session": (401, 401, TO_SIGN_IN)}
TABLES = ("passwords", "password_links", "sessions", "devices")
"""All that hold something of a person's."""
WHILE_OFF = {**BEFORE, "token": (401, 401, 401)}


@pytest.mark.parametrize(("ending", "expected"), [(disabled, AFTER), (deleted, AFTER), (off, WHILE_OFF)])
def test_each_credential_opens_what_the_table_says(
    maria: Maria, ending: Callable[[Maria], None], expected: dict[str, tuple[int, ...]]
) -> None:
    def table() -> dict[str, tuple[int, ...]]:
        return {each: tuple(maria.ask(each, door).status for door in DOORS) for each in BEFORE}

    assert table() == BEFORE
    ending(maria)
    assert table() == expected


@pytest.mark.parametrize("credential", ["token", "password", "session"])
def test_nobody_who_is_disabled_enables_themselves(maria: Maria, credential: str) -> None:
    maria.server.admin("PATCH", f"/v4/people/{maria.id}", {"isAdmin": True})
    maria.visitor = Visitor(maria.server).sign_in(EMAIL, PASSWORD)
    disabled(maria)
    headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    given = {
        "token": {"bearer": maria.value, "headers": headers},
        "password": {"basic": (EMAIL, PASSWORD), "headers": headers},
        "session": {"headers": {**headers, "Cookie": f"gatepass={maria.visitor.cookies['gatepass']}"}},
    }[credential]
    assert maria.server.request("PATCH", f"/v4/people/{maria.id}", raw=b'{"isDisabled":false}', **given).status == 401
    assert maria.server.admin("GET", f"/v4/people/{maria.id}").json["isDisabled"] is True


def test_of_a_deleted_person_no_password_link_session_or_device_is_kept(maria: Maria) -> None:
    linked = maria.server.admin("POST", "/v4/people", {"email": "linked@example.com"}).json["id"]

    def kept() -> dict[str, int]:
        with closing(apsw.Connection(str(maria.server.data / "gatepass.db"))) as database:
            count = "SELECT count(*) FROM {} WHERE user_id IN (?, ?)"
            ids = (UUID(maria.id).bytes, UUID(linked).bytes)
            return {table: database.execute(count.format(table), ids).fetchone()[0] for table in TABLES}

    assert kept() == dict.fromkeys(TABLES, 1)
    deleted(maria)
    assert maria.server.admin("DELETE", f"/v4/people/{linked}").status == 204
    assert kept() == dict.fromkeys(TABLES, 0)


def test_every_table_about_a_person_is_looked_at_above(maria: Maria) -> None:
    with closing(apsw.Connection(str(maria.server.data / "gatepass.db"))) as database:
        tables = {
            name
            for name, sql in database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
            if "user_id" in sql
        }
    assert tables == set(TABLES)
