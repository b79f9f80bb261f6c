"""A PostgreSQL server that is killed and comes back, with `fsync` as it is for real."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import psycopg

from support.postgres import PostgresServer, program
from support.waiting import poll

_OPTIONS = {"listen_addresses": "", "fsync": "on", "shared_buffers": "16MB", "max_connections": "60"}


class MortalServer(PostgresServer):
    """Its leader is a child of this process, so that nothing is left of it once it was killed."""

    def start(self) -> None:
        """Start it, as soon as nothing of an earlier one holds on to its memory; return when it answers."""
        self._launch()
        poll(self._answers, seconds=60)

    def _launch(self) -> None:
        options = [f"-c{name}={value}" for name, value in _OPTIONS.items()]
        with (self.folder / "log").open("a") as log:
            self._leader = subprocess.Popen(
                [program("postgres"), "-D", self._data, "-k", self.folder, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
                **self.runs_as,
            )

    def _answers(self) -> bool:
        if self._leader.poll() is not None:
            self._launch()
        with suppress(psycopg.OperationalError):
            return self.execute("SELECT 1") == [(1,)]
        return False

    def kill(self, *, children: bool = True) -> None:
        """Kill the leader, and its children with it; without that they notice, and end."""
        number = self._leader.pid
        left = Path(f"/proc/{number}/task/{number}/children").read_text().split() if children else []
        self._leader.kill()
        for each in left:
            with suppress(ProcessLookupError):
                os.kill(int(each), signal.SIGKILL)
        self._leader.wait()

    def stop(self) -> None:
        self._leader.send_signal(signal.SIGQUIT)
        self._leader.wait(timeout=30)
