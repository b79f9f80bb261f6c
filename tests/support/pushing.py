"""Directories that push their people, in the words of Entra ID and Okta, and the site they push to."""

import itertools
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from support.openid import CLIENT_ID, CLIENT_SECRET
from support.server import Reply, Server

USERS = "/scim/v2/Users"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
TYPE = "application/scim+json"
CREDENTIALS = {"CORP": "corp-" + "c" * 40, "PARTNERS": "partners-" + "p" * 40}
NEXT_CREDENTIAL = "next-" + "n" * 40
CONFIG = """
[providers.corp]
kind = "oidc"
issuer = "{issuer}"
client_id = "{client}"
subject_claim = "oid"
create_users = false
[providers.partners]
kind = "oidc"
issuer = "{issuer}"
client_id = "{client}"
enable_returning = true
[providers.silent]
kind = "oidc"
issuer = "{issuer}"
client_id = "{client}"
"""
_numbers = itertools.count(1)


def config(issuer: str) -> str:
    return CONFIG.format(issuer=issuer, client=CLIENT_ID)


def secrets_of_site() -> dict[str, str]:
    """Return the environment of a site with that configuration."""
    found = {f"GATEPASS_PROVIDERS__{name}__SCIM_CREDENTIAL": each for name, each in CREDENTIALS.items()}
    found["GATEPASS_PROVIDERS__PARTNERS__SCIM_CREDENTIAL"] += f",{NEXT_CREDENTIAL}"
    return found | {f"GATEPASS_PROVIDERS__{name}__CLIENT_SECRET": CLIENT_SECRET for name in (*CREDENTIALS, "SILENT")}


def entra_user(number: int, **changes: Any) -> dict[str, Any]:
    """Return somebody as Entra ID pushes them, with its usual mappings."""
    return {
        "schemas": [USER, ENTERPRISE],
        "externalId": f"oid-{number}",
        "userName": f"person{number}@example.com",
        "active": True,
        "displayName": f"Person {number}",
        "emails": [{"primary": True, "type": "work", "value": f"person{number}@mail.example.com"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": f"P. {number}", "familyName": str(number), "givenName": "Person"},
        "roles": [],
        ENTERPRISE: {"department": "Research", "manager": {"value": "oid-0"}},
        **changes,
    }


def okta_user(number: int, **changes: Any) -> dict[str, Any]:
    """Return somebody as Okta pushes them."""
    return {
        "schemas": [USER],
        "userName": f"person{number}@example.com",
        "name": {"givenName": "Person", "familyName": str(number)},
        "emails": [{"primary": True, "value": f"person{number}@example.com", "type": "work"}],
        "displayName": f"Person {number}",
        "locale": "en-US",
        "externalId": f"00u{number}",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
        **changes,
    }


def deactivation(value: Any = False, *, op: str = "replace") -> dict[str, Any]:
    return patch({"op": op, "path": "active", "value": value})


def patch(*operations: Mapping[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


class Directory:
    """One that pushes to a server with a credential."""

    def __init__(self, server: Server, credential: str = CREDENTIALS["CORP"]) -> None:
        self.server = server
        self.credential = credential

    def ask(self, method: str, path: str = "", body: Any = None, **headers: str) -> Reply:
        """Send a request; a path that does not begin with a slash is below `/Users`."""
        where = path if path.startswith("/") else f"{USERS}{path and '/'}{path}"
        return self.server.request(
            method, where, body, bearer=self.credential, headers={"Content-Type": TYPE, **headers}
        )

    def make(self, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Push somebody; without a body a new person, as Entra ID would."""
        made = self.ask("POST", "", body or entra_user(next_number()))
        assert made.status == 201, made.body
        return made.json

    def find(self, wanted: str, **query: str) -> dict[str, Any]:
        """Return the list that a filter gives."""
        more = "".join(f"&{name}={value}" for name, value in query.items())
        found = self.ask("GET", f"{USERS}?filter={quote(wanted)}{more}")
        assert found.status == 200, found.body
        return found.json


def next_number() -> int:
    """Return a number that no other person of this process has."""
    return next(_numbers)
