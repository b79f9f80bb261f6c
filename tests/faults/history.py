"""What clients did to tokens and what they were told, and what may be true of it afterwards.

Outcomes are `ok` (acknowledged), `fail` (refused before any effect) and `unknown` (the connection
broke: it may have happened or not). A token is created once and deleted at most once.
"""

import http.client
import threading
from collections import Counter
from dataclasses import dataclass, field

from support.server import Reply, Server

OWN = "/v4/apiAccessTokens"


@dataclass
class Known:
    """A token whose creation was acknowledged."""

    id: str
    value: str
    deletion: str = "none"
    """none, ok or unknown."""
    was_dead: bool = False
    """Somebody was told that it is not accepted."""


@dataclass
class History:
    """All that clients were told, safe to use from many threads."""

    known: list[Known] = field(default_factory=list)
    unknown_creates: int = 0
    findings: list[str] = field(default_factory=list)
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
        token.deletion = "unknown"
        reply = send(server, "DELETE", f"{OWN}/{token.id}", master)
        if reply is not None and reply.status in {204, 410}:
            token.deletion = "ok"
        elif reply is not None and reply.status != 503:
            self.findings.append(f"delete answered {reply.status}")

    def verify(self, server: Server, token: Known) -> None:
        before = token.deletion
        reply = send(server, "GET", "/verify", token.value)
        if reply is None or reply.status == 503:
            return
        accepted = reply.status == 200
        if accepted and before == "ok":
            self.findings.append(f"accepted after its deletion was acknowledged: {token.id}")
        if accepted and token.was_dead:
            self.findings.append(f"came back to life: {token.id}")
        if not accepted and token.deletion == "none":
            self.findings.append(f"refused although nobody deleted it: {token.id}")
        token.was_dead = token.was_dead or not accepted

    def judge(self, server: Server, master: str) -> None:
        """Read everything back from a quiet server and add what contradicts the history."""
        for token in self.known:
            self.verify(server, token)
        rows = {
            row["tokenId"]: row["status"]
            for status in ("all", "deleted")
            for row in every(server, f"{OWN}?status={status}", master, "tokenId")
        }
        events = Counter(
            (event["action"], event["subjectId"]) for event in every(server, "/v4/auditEvents?", master, "sequence")
        )
        for token in self.known:
            state = rows.get(token.id)
            if state is None:
                self.findings.append(f"lost although its creation was acknowledged: {token.id}")
            if token.deletion == "ok" and state != "deleted":
                self.findings.append(f"deletion was acknowledged and is lost: {token.id}")
            if (state == "deleted") != token.was_dead:
                self.findings.append(f"list and verify disagree about {token.id}")
            told = events["token.created", token.id], events["token.deleted", token.id]
            if told != (1, int(state == "deleted")):
                self.findings.append(f"records {told} of {token.id}, which is {state}")
        extra = len(rows.keys() - {token.id for token in self.known}) - 1
        if extra > self.unknown_creates:
            self.findings.append(f"{extra} tokens that nobody asked for")


def every(server: Server, path: str, master: str, key: str) -> list[dict]:
    """Return all rows of a list."""
    rows: list[dict] = []
    after = ""
    while True:
        part = server.request("GET", f"{path}&limit=1000{after}", bearer=master).json["data"]
        rows += part
        if len(part) < 1000:
            return rows
        after = f"&after={part[-1][key]}"


def send(
    server: Server, method: str, path: str, bearer: str, body: object = None, *, seconds: float = 30
) -> Reply | None:
    """Send a request; None if no answer came."""
    try:
        return server.request(method, path, body, bearer=bearer, seconds=seconds)
    except (OSError, http.client.HTTPException, ValueError):
        return None
