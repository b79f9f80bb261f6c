"""What every contestant of the verify bench has in common."""

import secrets
import shutil
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.process import Process, connect

TOKENS = 10_000
"""Live tokens of each contestant."""
PRESENTED = 1_000
"""How many of them the load rotates over."""


class NotMeasured(Exception):
    """This contestant cannot be measured here; the text says why."""


@dataclass(frozen=True)
class Seed:
    """What contestants are given: an installation of ours with live tokens, and where their own files may go."""

    folder: Path
    data: Path
    tokens: list[str]
    verifier: list[str]
    """The command that starts the verify listener, without its options."""

    def room(self, name: str) -> Path:
        """Return an empty folder for one contestant."""
        made = self.folder / name
        made.mkdir()
        return made


@dataclass(frozen=True)
class Running:
    """A contestant that takes requests."""

    target: str
    processes: list[Process]
    authorizations: list[str]
    bad: str | None
    """A value it must refuse; None if it looks at none."""
    path: str = "/verify"

    def cpu_seconds(self) -> float:
        """Return the processor time of all its processes so far."""
        return sum(process.cpu_seconds() for process in self.processes)


Start = Callable[[Seed, ExitStack], Running]
"""Starts a contestant on the server's core; the stack ends it. Raises NotMeasured."""


def bearers(tokens: list[str]) -> list[str]:
    """Return the values of the Authorization header."""
    return [f"Bearer {token}" for token in tokens]


def altered(authorization: str) -> str:
    """Return a value of the same shape that nobody was given."""
    return authorization[:-12] + secrets.token_hex(6)


def require_program(name: str) -> str:
    """Return where a program is. Raises NotMeasured if it is not installed."""
    # Servers stand in sbin, which is not on everybody's path.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NotMeasured(f"{name} is not installed")
    return found


def check(running: Running, *, statuses: Collection[int] = (200,)) -> None:
    """See that it accepts a good token and refuses a bad one. Raises RuntimeError."""
    wanted = {running.authorizations[0]: set(statuses)}
    if running.bad is not None:
        wanted[running.bad] = {401, 403}
    for authorization, right in wanted.items():
        status = ask(running, authorization)
        if status not in right:
            raise RuntimeError(f"{running.target} answered {status} where {sorted(right)} is right")


def ask(running: Running, authorization: str) -> int:
    """Send one request on a connection of its own; return the status of the answer."""
    connection = HTTPConnection("localhost")
    connection.sock = connect(running.target)
    connection.sock.settimeout(60)
    try:
        connection.request("GET", running.path, headers={"Authorization": authorization})
        return connection.getresponse().status
    finally:
        connection.close()
