"""Writes down what a client did, so that a death at any moment leaves a true record.

One file of JSON lines for each client thread. A call has a line before it is sent and one after it was
answered; without the second its outcome is unknown. Times are CLOCK_MONOTONIC, which all processes of
a host share. What is secret is never written.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from sys import intern
from typing import Any

from faults.oracle import NEVER, Call

now = time.monotonic_ns


class Recorder:
    """One client's file."""

    def __init__(self, path: Path) -> None:
        """Begin, or go on after an earlier life of the client."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(self._file, b"\n")  # a death may have cut off the last line
        self._count = 0
        self._life = f"{os.getpid()}-{now()}"

    def begin(self, op: str, subject: str | None, *, door: str, **facts: Any) -> int:
        """Write that a call is about to be sent; return its number."""
        self._count += 1
        self._write({"call": self._count, "op": op, "subject": subject, "door": door, **facts})
        return self._count

    def end(self, number: int, outcome: str, **facts: Any) -> None:
        """Write how it ended. `unknown` here says that nothing more can come of it."""
        self._write({"call": number, "outcome": outcome, **facts})

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._file, json.dumps({"life": self._life, "at": now(), **line}).encode() + b"\n")


def read_history(folder: Path) -> list[Call]:
    """Return the calls of all clients, by the time they began."""
    found = [call for path in sorted(folder.glob("*.jsonl")) for call in _calls(path)]
    return sorted(found, key=lambda call: call.begun)


def _calls(path: Path) -> Iterator[Call]:
    with path.open() as file:
        yield from _joined(file)


def _joined(lines: Iterable[str]) -> Iterator[Call]:
    """Put the two lines of each call together."""
    begun: dict[tuple[str, int], dict[str, Any]] = {}
    for text in lines:
        try:
            line = {name: intern(fact) if type(fact) is str else fact for name, fact in json.loads(text).items()}
        except ValueError:
            continue  # empty, or cut off by a death: as if it had not been written
        at, key = line.pop("at"), (line.pop("life"), line.pop("call"))
        if key in begun:
            yield Call(**{**begun.pop(key), "ended": at, **line})
        else:
            begun[key] = {"begun": at, "ended": NEVER, **line}
    for line in begun.values():
        yield Call(**line)
