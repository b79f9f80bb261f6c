"""One worker of `gatepass verifier`: `python -m gatepass.server.verify_worker`, started by the supervisor.

Its settings are one line of JSON on standard input, whose end means that the supervisor is gone; what
happens is one line of JSON on standard output. It imports as little as it can: that is its memory.
"""

import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from gatepass.connect import open_verifier
from gatepass.errors import GatepassError
from gatepass.server.private import prepare_process
from gatepass.server.verify_introspection import WorkerIntrospection
from gatepass.verifier.listener.door import VerifyDoor
from gatepass.verifier.listener.serve import serve_door
from gatepass.verifier.proxies import TrustedProxies

_REPORT_SECONDS = 1.0


def tell(event: str, **fields: Any) -> None:
    """Tell the supervisor. Where it is gone nobody hears it."""
    with suppress(OSError):
        os.write(sys.stdout.fileno(), json.dumps({"event": event, **fields}).encode() + b"\n")


class _Trouble:
    """Reports what went wrong, once a second at most."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._untold = 0

    def report(self, error: Exception) -> None:
        self._untold += 1
        now = time.monotonic()
        if now - self._last >= _REPORT_SECONDS:
            tell("requests answered with 503", error=_text(error), requests=self._untold)
            self._last, self._untold = now, 0


def _text(error: Exception) -> str:
    """Describe an error; the text of one that nobody expected could hold anything, so only its kind is told."""
    return str(error) if isinstance(error, GatepassError) else type(error).__name__


def main() -> int:
    """Serve until told to stop; return the exit code."""
    prepare_process()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to act upon
    settings = json.loads(sys.stdin.buffer.readline())
    listeners = [socket.socket(fileno=each) for each in settings["descriptors"]]
    try:
        verifier = open_verifier(settings["data"], journal=settings["journal"])
    except GatepassError as error:
        tell("failed", error=str(error), hint=error.hint)
        return 1
    with verifier:
        door = VerifyDoor(
            verifier,
            check_ready=verifier.check_ready,
            uses=verifier.uses.counter,
            proxies=TrustedProxies(settings["trusted_proxies"]),
            introspect=WorkerIntrospection(verifier, issuer=settings["issuer"]).answer,
            report=_Trouble().report,
        )
        serve_door(door, listeners, ready=lambda: tell("ready"), stop_with=[sys.stdin.fileno()])
    tell("stopped", connections=door.taken, accepted=verifier.uses.accepted, refused=dict(door.refused))
    return 0


if __name__ == "__main__":
    sys.exit(main())
