"""Deletions with 20 verifiers connected: when the last of them refuses, and whether the receipt says so.

The verifiers are services far away, each a process that holds the tokens in memory and looks every 5 ms whether it
still accepts them; one of the 20 also asks the server why, as it would for a request. `serve` deletes four at a time;
every other batch asks for receipts. A figure is of one deletion.
"""

import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from benchmarks.bars import Bar
from benchmarks.fill import fill
from gatepass.model.presented import parse_token
from support.server import Server, environment, gatepass, make_installation

VERIFIERS = 20
DELETIONS, QUICK = 2_000, 160
AT_ONCE = 4
_WARM = 1_024
REFUSED = "deletion acknowledged → refused by 20 connected verifiers, p99"
RECEIPT = "receipt of 20 verifiers → the last refusal, p99 of the difference"
WITHIN = "receipt of 20 verifiers, p99"


@dataclass(frozen=True)
class Deletion:
    """One deletion; times in ns of CLOCK_MONOTONIC."""

    sent: int
    answered: int
    accepted: int
    """When the last look began that still accepted it, at any verifier."""
    refused: int
    """When the last verifier was first seen to refuse."""
    receipt: dict[str, int] | None

    @property
    def late(self) -> float:
        """How many ms after the acknowledgement the last verifier refused."""
        return max(0.0, (self.refused - self.answered) / 1e6)

    @property
    def apart(self) -> float:
        """How many ms lie between what the receipt says was so and what was seen."""
        return abs(self.answered - self.refused) / 1e6

    @property
    def took(self) -> float:
        return (self.answered - self.sent) / 1e6


class Watching:
    """A verifier in a process of its own, see watching.py."""

    def __init__(self, url: str, credential: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.watching", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment({"PYTHONPATH": ":".join(["", *sys.path])}),
            text=True,
        )
        self._say(credential)

    def _say(self, line: str) -> None:
        print(line, file=self._process.stdin, flush=True)

    def ask(self, **question: Sequence[str]) -> None:
        self._say(json.dumps(question))

    def hear(self) -> Any:
        """Return its next answer. Raises RuntimeError if it has died."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("a verifier died")
        return json.loads(line)

    def close(self) -> None:
        self._process.terminate()  # it may be waiting for a refusal that will not come
        self._process.communicate()


def measure(*, quick: bool, deletions: int | None = None) -> list[Bar]:
    """Return the bars of the deletion and of its receipt."""
    count = deletions or (QUICK if quick else DELETIONS)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        data = Path(folder) / "data"
        make_installation(data)
        credential = gatepass("verifiers", "add", "bench", "--data", str(data)).stdout.strip()
        server = stack.enter_context(Server(data))
        owner = UUID(server.admin("GET", "/v4/people/current").json["id"])
        tokens = fill(data, owner, count + 1, real=count + 1)
        verifiers = [Watching(server.url, credential) for _ in range(VERIFIERS)]
        for each in verifiers:
            stack.callback(each.close)
            each.hear()
        done = list(_deleted(server, verifiers, tokens[1:], bearer=tokens[0]))
    return _bars(done)


def _deleted(
    server: Server, verifiers: Sequence[Watching], tokens: Sequence[str], *, bearer: str
) -> Iterator[Deletion]:
    with ThreadPoolExecutor(AT_ONCE) as threads, _clients(server) as clients:
        for part in _batches(tokens, _WARM):
            for each in verifiers:
                each.ask(warm=part)
            _agree(verifiers)
            for number, batch in enumerate(_batches(part, AT_ONCE)):
                for place, each in enumerate(verifiers):
                    each.ask(watch=batch, ask=batch[place : place + 1])
                _agree(verifiers)
                asked = [
                    threads.submit(client, bearer, token, wait=number % 2)
                    for client, token in zip(clients, batch, strict=False)
                ]
                seen = zip(*[each.hear() for each in verifiers], strict=True)  # by token, then by verifier
                for answer, looks in zip(asked, seen, strict=True):
                    sent, answered, receipt = answer.result()
                    accepted, refused = (max(moments) for moments in zip(*looks, strict=True))
                    yield Deletion(sent, answered, accepted, refused, receipt)


def _batches(tokens: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (tokens[at : at + size] for at in range(0, len(tokens), size))


def _agree(verifiers: Sequence[Watching]) -> None:
    if not all(each.hear() for each in verifiers):
        raise RuntimeError("a verifier did not have the tokens in memory")


class _Client:
    """A connection that deletes."""

    def __init__(self, server: Server) -> None:
        parts = urlsplit(server.url)
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def __call__(self, bearer: str, token: str, *, wait: int) -> tuple[int, int, dict[str, int] | None]:
        presented = parse_token(token)
        headers = {"Authorization": f"Bearer {bearer}"} | ({"Prefer": "wait=10"} if wait else {})
        sent = time.monotonic_ns()
        self.connection.request("DELETE", f"/v4/apiAccessTokens/{presented.id if presented else ''}", headers=headers)
        response = self.connection.getresponse()
        body = response.read()
        answered = time.monotonic_ns()
        if response.status != (200 if wait else 204):
            raise RuntimeError(f"a deletion was answered with {response.status}")
        return sent, answered, json.loads(body) if wait else None


@contextmanager
def _clients(server: Server) -> Iterator[list[_Client]]:
    made = [_Client(server) for _ in range(AT_ONCE)]
    try:
        yield made
    finally:
        for each in made:
            each.connection.close()


def _bars(done: Sequence[Deletion]) -> list[Bar]:
    plain = [each for each in done if each.receipt is None]
    told = [each for each in done if each.receipt is not None]
    whole = [each for each in told if each.receipt and each.receipt["confirmed"] == each.receipt["of"] == VERIFIERS]
    if len(whole) < len(told):
        raise RuntimeError(f"{len(told) - len(whole)} of {len(told)} receipts are not of all {VERIFIERS}")
    if wrong := [each for each in told if each.accepted > each.answered]:
        raise RuntimeError(f"{len(wrong)} tokens were accepted after a receipt that all refuse them")
    late, apart, took = [d.late for d in plain], [d.apart for d in told], [d.took for d in told]
    return [
        Bar(REFUSED, _p99(late), 250, 20, "ms", note=_note(late), raw={"ms": late}),
        Bar(RECEIPT, _p99(apart), 50, 20, "ms", note=_note(apart), raw={"ms": apart}),
        Bar(WITHIN, _p99(took), 250, 40, "ms", note=_note(took), raw={"ms": took}),
    ]


def _note(figures: Sequence[float]) -> str:
    return f"{len(figures):,} deletions, median {statistics.median(figures):.1f} ms, longest {max(figures):.1f} ms"


def _p99(figures: Sequence[float]) -> float:
    return statistics.quantiles(figures, n=100)[98]
