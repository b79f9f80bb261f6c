"""A real `gatepass verifier` as a process of its own, and raw connections to it."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from support.server import READY_SECONDS, environment

SECONDS = 15


class Listener:
    """A running listener over one data directory, or with `--upstream` over a server."""

    def __init__(
        self, data: Path, *flags: str, listen: str = "127.0.0.1:0", env: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        place = [] if "--upstream" in flags else ["--data", str(data)]
        self.command = [sys.executable, "-m", "gatepass", "verifier", *place, "--listen", listen, *flags]
        self.env = environment(env)
        self.log = data.parent / f"{data.name}-verifier.log"
        self.url = ""
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Listener":
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log, env=self.env, text=True)
        stuck = threading.Timer(READY_SECONDS, self.process.kill)
        stuck.start()
        self.url = self.process.stdout.readline().removeprefix("listening on ").strip()
        stuck.cancel()
        if not self.url:
            self.process.wait()
            self.process.stdout.close()
            raise RuntimeError(f"the listener did not start:\n{self.log.read_text()}")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """End it cleanly; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def workers(self) -> list[int]:
        """Return the process ids of its workers."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(each) for each in found.split()]

    def connect(self) -> socket.socket:
        if self.url.startswith("unix:"):
            made = socket.socket(socket.AF_UNIX)
            made.settimeout(SECONDS)
            made.connect(self.url.removeprefix("unix:"))
            return made
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def talk(self, *parts: bytes, pause: float = 0, half_close: bool = False) -> bytes:
        """Send parts, return all that comes back until the other side closes."""
        with self.connect() as connection:
            try:
                for part in parts:
                    connection.sendall(part)
                    if pause:
                        time.sleep(pause)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused while we were still sending
            return read_all(connection)

    def ask(self, path: str = "/verify", *, bearer: str | None = None, method: str = "GET", extra: str = "") -> bytes:
        """Send one request as the last of a connection; return the whole answer."""
        sent = f"Authorization: Bearer {bearer}\r\n" if bearer else ""
        return self.talk(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{sent}{extra}\r\n".encode())

    def status(self, path: str = "/verify", *, bearer: str | None = None, method: str = "GET", extra: str = "") -> int:
        [found] = statuses(self.ask(path, bearer=bearer, method=method, extra=extra))
        return found


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    found = b""
    try:
        while chunk := connection.recv(65_536):
            found += chunk
    except (ConnectionResetError, BrokenPipeError):
        pass
    return found


def statuses(answer: bytes) -> list[int]:
    """Return the statuses of the answers in what came back."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]
