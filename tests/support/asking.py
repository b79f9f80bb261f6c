"""A service with a verifier, as a process of its own: one line in, one line out.

Run as `python -m support.asking URL`, with the credential as the first line of standard input, or with the
directory of an installation and an empty line. Each further line is a token; the answer is `accepted`, the reason of the refusal, or `unavailable`. `?` asks whether the
lease of a remote one is fresh.
"""

import os
import select
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO

from gatepass.connect import open_verifier
from gatepass.errors import GatepassError, Unavailable
from gatepass.model.verdict import Accepted
from gatepass.verifier.elsewhere import RemoteVerifier
from gatepass.verifier.opened import OpenVerifier
from support.server import environment


class Asking:
    """That process, seen from the test."""

    def __init__(
        self, url: str, credential: str = "", *, env: Mapping[str, str] | None = None, **options: object
    ) -> None:
        self.place = url
        self.process = subprocess.Popen(
            [sys.executable, "-m", "support.asking", url, repr(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment({"PYTHONPATH": ":".join(sys.path), **(env or {})}),
            text=True,
        )
        self.say(credential)
        self._heard = b""
        self.began = self.hear()

    def __enter__(self) -> "Asking":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()

    def ask(self, token: str) -> str:
        self.say(token)
        return self.hear() or ""

    def is_fresh(self) -> bool:
        return self.ask("?") == "fresh"

    def stop(self) -> None:
        """End it cleanly."""
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def say(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self, seconds: float | None = None) -> str | None:
        """Return the next answer; None if there is none within the time."""
        output = self.process.stdout.fileno()
        while b"\n" not in self._heard:
            if not select.select([output], [], [], seconds)[0]:
                return None
            part = os.read(output, 4096)
            if not part:
                return ""
            self._heard += part
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode().strip()


def main(url: str, options: str, lines: TextIO) -> None:
    credential = lines.readline().strip() if "://" in url else lines.readline().strip() or None
    try:
        verifier = open_verifier(url, credential=credential, **eval(options))  # noqa: S307  written above
    except GatepassError as error:
        print(f"{error.code}: {error}", flush=True)
        return
    print("open", flush=True)
    for line in lines:
        print(_answer(verifier, line.strip()), flush=True)
    verifier.close()


def _answer(verifier: OpenVerifier, line: str) -> str:
    if line == "?":
        assert isinstance(verifier, RemoteVerifier)
        return "fresh" if verifier.lease.is_fresh else "stale"
    try:
        verdict = verifier.verify(line)
    except Unavailable as error:
        print(error, file=sys.stderr)  # for whoever reads why a test failed
        return "unavailable"
    return "accepted" if isinstance(verdict, Accepted) else verdict.reason.value


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.stdin)
