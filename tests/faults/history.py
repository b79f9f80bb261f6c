"""What clients did to tokens and what they were told, and what may be true of it afterwards.

Outcomes are `ok` (acknowledged), `fail` (refused before any effect) and `unknown` (the connection
broke: it may have happened or not). A token is created once and deleted at most once.
"""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from support.server import Reply, Server
from support.waiting import poll

OWN = "/v4/apiAccessTokens"
NEVER = float("inf")
Life = tuple[Path, int]
"""A server, from one start to its end."""


@dataclass
class Known:
    """A token whose creation was acknowledged. Times are those of `time.monotonic`."""

    id: str
    value: str
    deletion: str = "none"
    """none, ok or unknown."""
    deleted_at: float = NEVER
    """When its deletion was acknowledged."""
    deleted_by: Life | None = None
    dead_at: dict[Life, float] = field(default_factory=dict)
    """When it was first told that it is not accepted, and by whom."""

    @property
    def was_dead(self) -> bool:
        return bool(self.dead_at)


@dataclass
class Audit:
    """The audit log, as far as it was read: it has no gaps, and is never read again."""

    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    last: int = 0

    def read_on(self, server: Server, master: str) -> Iterator[str]:
        """Read what has come; yield what is wrong with it."""
        for event in every(server, "/v4/auditEvents?", master, "sequence", after=self.last):
            if event["sequence"] != self.last + 1:
                yield f"after the record {self.last} comes {event['sequence']}"
            self.last = event["sequence"]
            self.told[event["action"], event["subjectId"]] += 1


@dataclass
class History:
    """All that clients were told, safe to use from many threads."""

    bound: float = 0
    """So many seconds later at most what one server said holds on the others. 0: they share a host."""
    known: list[Known] = field(default_factory=list)
    unknown_creates: int = 0
    findings: list[str] = field(default_factory=list)
    audit: Audit = field(default_factory=Audit)
    late: int = 0
    """How often a server had to be asked again until it knew of a deletion."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, server: Server, master: str) -> None:
        reply = send(server, "POST", OWN, master, {"lifetimeSeconds": -1})
        with self._lock:
            if reply is None or reply.status == 503:
                self.unknown_creates += 1
            elif reply.status == 201:
                self.known.append(Known(reply.json["tokenInfo"]["tokenId"], reply.json["tokenValue"]))
            else:
                self.findings.append(f"create answered {reply.status}")

    def delete(self, server: Server, master: str, token: Known) -> None:
        token.deletion, life = "unknown", life_of(server)
        reply = send(server, "DELETE", f"{OWN}/{token.id}", master)
        if reply is not None and reply.status in {204, 410}:
            token.deleted_by, token.deleted_at, token.deletion = life, time.monotonic(), "ok"
        elif reply is not None and reply.status != 503:
            self.findings.append(f"delete answered {reply.status}")

    def verify(self, server: Server, token: Known) -> None:
        asked_at, life = time.monotonic(), life_of(server)
        reply = send(server, "GET", "/verify", token.value)
        if reply is not None and reply.status != 503:
            self.note(token, life, asked_at, is_accepted=reply.status == 200)

    def note(self, token: Known, life: Life, asked_at: float, *, is_accepted: bool) -> None:
        """Take a verdict that a server gave when it was asked at `asked_at`."""
        if is_accepted:
            if asked_at > token.deleted_at + self._grace(life, token.deleted_by):
                self.findings.append(f"accepted after its deletion was acknowledged: {token.id}")
            if any(asked_at > at + self._grace(life, by) for by, at in token.dead_at.copy().items()):
                self.findings.append(f"came back to life: {token.id}")
            return
        if token.deletion == "none":
            self.findings.append(f"refused although nobody deleted it: {token.id}")
        token.dead_at.setdefault(life, time.monotonic())

    def _grace(self, life: Life, other: Life | None) -> float:
        return 0 if life == other else self.bound

    def judge(self, server: Server, master: str, *, others: Sequence[Server] = ()) -> None:
        """Read everything back from quiet servers and add what contradicts the history."""
        for each in (server, *others):
            rows = {
                row["tokenId"]: row["status"]
                for status in ("all", "deleted")
                for row in every(each, f"{OWN}?status={status}", master, "tokenId")
            }
            self._verify_all(each, rows)
            for token in self.known:
                state = rows.get(token.id)
                if state is None:
                    self.findings.append(f"lost although its creation was acknowledged: {token.id}")
                if token.deletion == "ok" and state != "deleted":
                    self.findings.append(f"deletion was acknowledged and is lost: {token.id}")
            extra = len(rows.keys() - {token.id for token in self.known}) - 1
            if extra > self.unknown_creates:
                self.findings.append(f"{extra} tokens that nobody asked for")
        self.findings += self.audit.read_on(server, master)
        for token in self.known:
            told = self.audit.told["token.created", token.id], self.audit.told["token.deleted", token.id]
            if told != (1, int(rows.get(token.id) == "deleted")):
                self.findings.append(f"records {told} of {token.id}, which is {rows.get(token.id)}")

    def _verify_all(self, server: Server, rows: dict[str, str]) -> None:
        """Ask a quiet server about every token: it has to say what its list says, in the end."""
        life = life_of(server)
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:

            def verdict(token: Known) -> bool:
                asked_at = time.monotonic()
                connection.request("GET", "/verify", headers={"Authorization": f"Bearer {token.value}"})
                reply = connection.getresponse()
                reply.read()
                if reply.status not in {200, 401}:
                    self.findings.append(f"{reply.status} from a quiet server about {token.id}")
                self.note(token, life, asked_at, is_accepted=reply.status == 200)
                return reply.status == 200

            for token in self.known:
                is_alive = rows.get(token.id) not in {None, "deleted"}
                if verdict(token) == is_alive:
                    continue
                self.late += 1
                try:
                    poll(lambda token=token, is_alive=is_alive: verdict(token) == is_alive, seconds=self.bound + 1)
                except AssertionError:
                    self.findings.append(f"list and verify disagree about {token.id}")


def life_of(server: Server) -> Life:
    process = server._process
    return server.data, process.pid if process else 0


def every(server: Server, path: str, master: str, key: str, *, after: object = "") -> list[dict]:
    """Return all rows of a list, or those after one."""
    rows: list[dict] = []
    while True:
        onwards = f"&after={after}" if after else ""
        part = server.request("GET", f"{path}&limit=1000{onwards}", bearer=master).json["data"]
        rows += part
        if len(part) < 1000:
            return rows
        after = part[-1][key]


def send(
    server: Server, method: str, path: str, bearer: str, body: object = None, *, seconds: float = 30
) -> Reply | None:
    """Send a request; None if no answer came."""
    try:
        return server.request(method, path, body, bearer=bearer, seconds=seconds)
    except (OSError, http.client.HTTPException, ValueError):
        return None
