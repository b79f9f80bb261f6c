"""One token, one request, one verdict: `/verify` in the server, the listener, introspection, ASGI and WSGI.

Pairs of a token and a request are generated from a seed: good tokens and dead ones, with all kinds of
rights, as they are and damaged; headers well spelled and not; scopes, a service and a client's address.
"""

import json
import os
import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from gatepass import open_verifier
from gatepass.errors import InvalidInput
from gatepass.model.network import parse_address
from gatepass.verifier import Verifier, asgi, wsgi
from support.listener import Listener
from support.oauth import FORM, INTROSPECT, MARIA, UNKNOWN, Scene, set_up
from support.waiting import poll

PAIRS = 100_000 if os.environ.get("GATEPASS_SOAK") else 2_000
AT_ONCE = 40
ENV = {"GATEPASS_SERVER__TRUSTED_PROXIES": "127.0.0.1"}

SCOPES = ["jobs:run", "jobs:read", "jobs:*", "*:read", "*:*", "files:write"]
NETWORKS = ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32", "0.0.0.0/0", "::/0"]
SERVICES = ["orders", "billing", "gatepass"]
NO_ADDRESS = "nonsense"
CLIENTS = [
    "10.1.2.3",
    "10.9.9.9",
    "192.0.2.7",
    "203.0.113.1",
    "2001:db8::7",
    "2001:db9::7",
    "::ffff:10.1.2.3",
    NO_ADDRESS,
]
HEADERS = ["Bearer {}", "bearer {}", "BEARER {}", "Bearer  {}", "Bearer {} ", "Basic {}", "{}", "Bearer", "Bearer {},"]
NOT_A_SCOPE = "Jobs:Run"


@dataclass
class Asked:
    """One request with one token."""

    text: str
    headers: list[str]
    scopes: list[str] = field(default_factory=list)
    audience: str | None = None
    client: str = CLIENTS[0]

    @property
    def query(self) -> str:
        pairs = [("scope", scope) for scope in self.scopes]
        return urlencode([*pairs, *([("audience", self.audience)] if self.audience else [])])

    @property
    def address(self) -> str | None:
        """Where it comes from: a proxy that names no address leaves that unknown."""
        return None if self.client == NO_ADDRESS else self.client

    @property
    def is_well_spelled(self) -> bool:
        plain = self.text != "" and self.headers == [f"Bearer {self.text}"]
        return plain and NOT_A_SCOPE not in self.scopes and self.client != NO_ADDRESS


def some(chance: random.Random, from_: Sequence[str], *, most: int = 3) -> list[str]:
    return chance.sample(from_, chance.randint(1, most))


def rights(chance: random.Random) -> dict[str, list[str]]:
    wanted = {"scopes": SCOPES, "allowedNetworks": NETWORKS, "audience": SERVICES}
    return {name: some(chance, values) for name, values in wanted.items() if chance.random() < 0.5}


def damaged(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text))
    return chance.choice(
        [text[:at], text + chance.choice("0A=\t%"), text[:at] + text[at].swapcase() + text[at + 1 :], text[1:], UNKNOWN]
    )


def make_pairs(chance: random.Random, tokens: Sequence[str]) -> Iterator[Asked]:
    for _ in range(PAIRS):
        text = chance.choice(tokens)
        if chance.random() < 0.1:
            text = damaged(chance, text)
        spelling = "Bearer {}" if chance.random() < 0.85 else chance.choice(HEADERS)
        headers = [spelling.format(text)] * (2 if chance.random() < 0.02 else 1)
        yield Asked(
            text,
            [] if chance.random() < 0.02 else headers,
            some(chance, [*SCOPES, NOT_A_SCOPE], most=2) if chance.random() < 0.4 else [],
            chance.choice([*SERVICES, "other"]) if chance.random() < 0.5 else None,
            chance.choice(CLIENTS),
        )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    yield from set_up(tmp_path_factory.mktemp("doors") / "data", **ENV)


@pytest.fixture(scope="module")
def tokens(scene: Scene) -> list[str]:
    """Thirty good tokens, and ten of each kind that is none any more."""
    chance, server = random.Random(1), scene.server
    bob = next(each for each in server.admin("GET", "/v4/people").json["data"] if each["email"].startswith("bob"))
    good = [server.create_token(basic=MARIA, **rights(chance))[0] for _ in range(30)]
    deleted = [server.create_token(basic=MARIA, **rights(chance)) for _ in range(10)]
    for _, info in deleted:
        assert server.admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}").status == 204
    expired = [server.create_token(basic=MARIA, lifetimeSeconds=1, **rights(chance)) for _ in range(10)]
    ownerless = [server.create_token(basic=("bob@example.com", MARIA[1]), **rights(chance))[0] for _ in range(10)]
    assert server.admin("PATCH", f"/v4/people/{bob['id']}", {"isDisabled": True}).status == 200
    last = expired[-1][1]["tokenId"]
    poll(lambda: server.request("GET", f"/v4/apiAccessTokens/{last}", basic=MARIA).json["status"] == "expired")
    return good + [value for value, _ in deleted + expired] + ownerless


def request_of(asked: Asked) -> bytes:
    lines = [f"GET /verify{'?' + asked.query if asked.query else ''} HTTP/1.1", "Host: x"]
    lines += [f"Authorization: {value}" for value in asked.headers]
    return "\r\n".join([*lines, f"X-Forwarded-For: {asked.client}", "", ""]).encode()


def question_of(asked: Asked, credential: str) -> bytes:
    fields = {"token": asked.text, "scope": " ".join(asked.scopes), "audience": asked.audience or ""}
    body = urlencode({**fields, "client_address": asked.client}).encode()
    head = f"POST {INTROSPECT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {credential}\r\nContent-Type: {FORM}\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


class Pipeline:
    """A connection on which many requests are sent at once."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._file = self._socket.makefile("rb")

    def ask(self, requests: Sequence[bytes]) -> list[tuple[int, bytes]]:
        self._socket.sendall(b"".join(requests))
        return [self._read() for _ in requests]

    def _read(self) -> tuple[int, bytes]:
        status, length = int(self._file.readline().split()[1]), 0
        while (line := self._file.readline().strip().lower()) != b"":
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return status, self._file.read(length)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def by_asgi(verifier: Verifier, asked: Asked) -> int:
    seen: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(200)

    async def send(message: Any) -> None:
        seen.append(message.get("status", seen[-1] if seen else 0))

    headers = [(b"authorization", value.encode("latin-1")) for value in asked.headers]
    scope = {"type": "http", "headers": headers, "client": (asked.address, 1) if asked.address else None}
    protected = asgi.RequireToken(app, verifier, scope=" ".join(asked.scopes), audience=asked.audience)
    with suppress(StopIteration):  # nothing in it waits, so it needs no event loop
        protected(scope, None, send).send(None)
    return seen[0]


def by_wsgi(verifier: Verifier, asked: Asked) -> int:
    seen: list[int] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        return [b""] if seen.append(200) is None else []

    environ = {"REMOTE_ADDR": asked.address} if asked.address else {}
    if asked.headers:
        environ["HTTP_AUTHORIZATION"] = ",".join(asked.headers)
    protected = wsgi.RequireToken(app, verifier, scope=" ".join(asked.scopes), audience=asked.audience)
    protected(environ, lambda status, _: seen.append(int(status[:3])))
    return seen[0]


def by_introspection(answer: tuple[int, bytes], asked: Asked) -> bool:
    """Return whether the request may be made, with the checks that are left to whoever asked."""
    status, body = answer
    assert status == 200, body
    told = json.loads(body)
    if "aud" in told and asked.audience is None:
        return False
    networks = told.get("allowed_networks")
    return told["active"] and (networks is None or parse_address(asked.client) is not None)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_door_gives_the_same_verdict(scene: Scene, tokens: list[str]) -> None:
    pairs = list(make_pairs(random.Random(2), tokens))
    seen: dict[int, int] = {}
    with (
        Listener(scene.server.data, env=ENV) as listener,
        open_verifier(scene.server.data) as verifier,
        closing(Pipeline(scene.server.url)) as server,
        closing(Pipeline(listener.url)) as beside,
    ):
        for start in range(0, len(pairs), AT_ONCE):
            some_pairs = pairs[start : start + AT_ONCE]
            well = [asked for asked in some_pairs if asked.is_well_spelled]
            statuses = [status for status, _ in server.ask([request_of(asked) for asked in some_pairs])]
            assert [status for status, _ in beside.ask([request_of(asked) for asked in some_pairs])] == statuses
            asked_about = beside.ask([question_of(asked, scene.credential) for asked in well])
            told = dict(zip(map(id, well), asked_about, strict=True))
            for asked, status in zip(some_pairs, statuses, strict=True):
                seen[status] = seen.get(status, 0) + 1
                if NOT_A_SCOPE in asked.scopes:
                    for protect in (asgi.RequireToken, wsgi.RequireToken):
                        with pytest.raises(InvalidInput):
                            protect(None, verifier, scope=" ".join(asked.scopes))
                    continue
                assert (by_asgi(verifier, asked), by_wsgi(verifier, asked)) == (status, status), asked
                if id(asked) in told:
                    assert by_introspection(told[id(asked)], asked) is (status == 200), asked
    # A run in which hardly anything is accepted or refused for each of the causes shows nothing.
    assert set(seen) == {200, 401, 403}
    assert min(seen.values()) > len(pairs) // 100, seen
