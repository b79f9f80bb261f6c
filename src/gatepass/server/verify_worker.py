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

from gatepass.connect import open_embedded, open_verifier
from gatepass.errors import GatepassError
from gatepass.model.secret import Secret
from gatepass.server.private import prepare_process
from gatepass.server.verify_introspection import WorkerIntrospection
from gatepass.verifier.listener.door import VerifyDoor
from gatepass.verifier.listener.look_ups import LookUps
from gatepass.verifier.listener.serve import serve_door
from gatepass.verifier.opened import OpenVerifier
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


def _opened(source: dict[str, Any]) -> tuple[OpenVerifier, dict[str, Any]]:
    """Open the verifier over what the supervisor names; return it, and what else its door answers with."""
    if "upstream" in source:
        credential = Secret(source["credential"])
        remote = open_verifier(
            source["upstream"],
            credential=credential,
            ca_file=source["ca_file"],
            grace=source["grace"],
            insecure_http=source["insecure_http"],
        )
        return remote, {"look_ups": LookUps(remote.fetch)}
    verifier = open_embedded(source["data"])
    return verifier, {"introspect": WorkerIntrospection(verifier, issuer=source["issuer"]).answer}


def main() -> int:
    """Serve until told to stop; return the exit code."""
    prepare_process()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to act upon
    settings = json.loads(sys.stdin.buffer.readline())
    listeners = [socket.socket(fileno=each) for each in settings["descriptors"]]
    try:
        verifier, answering = _opened(settings["source"])
    except GatepassError as error:
        tell("failed", error=str(error), hint=error.hint)
        return 1
    with verifier:
        door = VerifyDoor(
            verifier,
            check_ready=verifier.check_ready,
            uses=verifier.uses.counter,
            proxies=TrustedProxies(settings["trusted_proxies"]),
            report=_Trouble().report,
            **answering,
        )
        serve_door(door, listeners, ready=lambda: tell("ready"), stop_with=[sys.stdin.fileno()])
    tell("stopped", connections=door.taken, accepted=verifier.uses.accepted, refused=dict(door.refused))
    return 0


if __name__ == "__main__":
    sys.exit(main())
