"""Servers under measurement: started on chosen cores in a group of their own, waited for, accounted, stopped."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Self

SERVER_CORE, LOAD_CORE = 0, 1
_READY_SECONDS = 60
_TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """A running server and its children; leave the `with` block to end them."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        cores: Collection[int] = (SERVER_CORE,),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509  no threads here
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_for(self, target: str, *, seconds: float = _READY_SECONDS) -> "Process":
        """Return when `target` (host:port or unix:PATH) takes connections. Raises RuntimeError if it never does."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._process.poll() is None:
            try:
                connect(target).close()
            except OSError:
                time.sleep(0.05)  # noqa: TID251  another program's readiness
            else:
                return self
        tail = self._log.read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"{self._process.args!r} is not ready:\n{tail}")

    def cpu_seconds(self) -> float:
        """Return the processor time, user and system, of all processes of the group, to a hundredth."""
        return sum(self.cpu_by_process().values())

    def cpu_by_process(self) -> dict[int, float]:
        """Return the same for each process that runs now."""
        used: dict[int, float] = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            if int(fields[2]) == self._process.pid:
                used[int(entry.name)] = (int(fields[11]) + int(fields[12])) / _TICKS
        return used

    def stop(self) -> None:
        """End the group, politely first."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(timeout=10)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.wait(timeout=10)


def connect(target: str) -> socket.socket:
    """Connect to host:port or unix:PATH."""
    if target.startswith("unix:"):
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(target.removeprefix("unix:"))
        except OSError:
            made.close()
            raise
        return made
    host, _, port = target.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def free_target() -> str:
    """Return a loopback address nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
