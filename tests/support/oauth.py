"""Asking the OAuth doors of a real server with a registered verifier, two people and a token."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from gatepass.model.secret import Secret
from gatepass.model.token import TokenKind, write_token
from support.server import EMAIL, PASSWORD, Reply, Server, gatepass, make_installation

INTROSPECT, REVOKE = "/oauth2/introspect", "/oauth2/revoke"
FORM = "application/x-www-form-urlencoded"
INACTIVE = b'{"active":false}'
ADMIN = (EMAIL, PASSWORD)
MARIA, BOB = ("maria@example.com", PASSWORD), ("bob@example.com", PASSWORD)
UNKNOWN = write_token(TokenKind.PERSONAL, UUID(int=7), Secret("0" * 32)).reveal()
"""A token in perfect form that nobody ever made."""


def add_verifier(server: Server, name: str) -> tuple[str, str]:
    """Register a verifier on the console; return its id and its credential."""
    done = gatepass("verifiers", "add", name, "--data", str(server.data), "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    return made["id"], made["credential"]


def ask(
    server: Server,
    path: str,
    fields: Mapping[str, str] | Sequence[tuple[str, str]],
    *,
    headers: Mapping[str, str] | None = None,
    **how: Any,
) -> Reply:
    """Send a form."""
    sent = {"Content-Type": FORM, **(headers or {})}
    return server.request("POST", path, raw=urlencode(fields).encode(), headers=sent, **how)


def digest_of(value: str) -> str:
    return hashlib.sha256(value.encode("ascii")).hexdigest()


def basic_of(name: str, credential: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{credential}".encode()).decode()}


@dataclass
class Scene:
    """A server with a verifier, two people, and a token of Maria."""

    server: Server
    verifier_id: str
    credential: str
    maria_id: str
    value: str
    info: dict

    def ask(self, token: str | None = None, **more: str) -> Reply:
        """Ask as the verifier."""
        fields = {"token": self.value if token is None else token, **more}
        return ask(self.server, INTROSPECT, fields, bearer=self.credential)


def set_up(data: Path, **env: str) -> Iterator[Scene]:
    make_installation(data)
    with Server(data, env=env) as server:
        server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
        maria = server.create_person(MARIA[0])
        server.create_person(BOB[0])
        value, info = server.create_token(basic=MARIA)
        yield Scene(server, *add_verifier(server, "Orders & more"), maria["id"], value, info)
