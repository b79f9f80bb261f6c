"""The load generator: builds it, prepares the requests a gateway would send, runs it as a process of its own."""

import json
import os
import subprocess
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import LOAD_CORE

HERE = Path(__file__).parent
CONNECTIONS = 32


@dataclass(frozen=True)
class Load:
    """What one run of the generator saw. Latencies are microseconds."""

    answers: int
    seconds: float
    p50: float
    p99: float
    busy: float
    """The generator's share of a core: about 1 always when it spins."""
    reconnects: int
    statuses: dict[str, int]

    @property
    def rate(self) -> float:
        """Right answers a second."""
        return self.answers / self.seconds


def prepared(authorizations: Iterable[str], *, path: str = "/verify") -> bytes:
    """Return one request for each value, as a gateway forwards them: ten header fields."""
    return b"".join(
        (
            f"GET {path} HTTP/1.1\r\n"
            "Host: api.example.com\r\n"
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
            "Accept: application/json\r\n"
            "Accept-Encoding: gzip, deflate, br\r\n"
            "X-Real-IP: 203.0.113.7\r\n"
            "X-Forwarded-For: 203.0.113.7\r\n"
            "X-Forwarded-Proto: https\r\n"
            "X-Original-Method: GET\r\n"
            f"X-Original-URI: /v1/orders/{number}?expand=lines\r\n"
            f"Authorization: {value}\r\n\r\n\0"
        ).encode()
        for number, value in enumerate(authorizations)
    )


class Generator:
    """Sends prepared requests to one target."""

    def __init__(self, target: str, requests: bytes, *, connections: int = CONNECTIONS) -> None:
        self._target = target
        self._connections = connections
        self._file = tempfile.NamedTemporaryFile(prefix="requests-")  # noqa: SIM115  lives as long as this object
        self._file.write(requests)
        self._file.flush()

    def run(
        self,
        seconds: float,
        *,
        statuses: Collection[int] = (200,),
        rate: float = 0,
        cores: Collection[int] = (LOAD_CORE,),
        spin: bool = True,
    ) -> Load:
        """Run to the end. Raises RuntimeError if any answer is not one of `statuses`."""
        return self.start(seconds, statuses=statuses, rate=rate, cores=cores, spin=spin).result()

    def start(
        self,
        seconds: float,
        *,
        statuses: Collection[int] = (200,),
        rate: float = 0,
        cores: Collection[int] = (LOAD_CORE,),
        spin: bool = False,
    ) -> "Started":
        """Run beside the caller. With `rate`, requests go by a schedule; otherwise as fast as they are answered."""
        right = ",".join(map(str, statuses))
        wait = "spin" if spin and not rate else "sleep"
        command = [_built(), self._target, self._file.name, seconds, self._connections, right, rate, wait]
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509  no threads here
        )
        return Started(process, self._target, self._file)


class Started:
    """A generator under way."""

    def __init__(self, process: "subprocess.Popen[str]", target: str, requests: object) -> None:
        self._process = process
        self._requests = requests  # the file goes when nobody holds it
        self._target = target

    def result(self) -> Load:
        """Wait for its end."""
        output, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise RuntimeError(f"the load on {self._target} broke off")
        seen = json.loads(output)
        if seen["wrong"] or seen["unreadable"] or not seen["answers"]:
            raise RuntimeError(f"{self._target} did not answer as it must: {seen}")
        return Load(**{name: seen[name] for name in Load.__dataclass_fields__})


def _built() -> Path:
    """Compile the generator if its source is newer."""
    program = HERE / ".peers" / "load"
    sources = [HERE / "load.c", HERE / "answer.h", HERE / "latency.h"]
    if not program.exists() or program.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        program.parent.mkdir(exist_ok=True)
        subprocess.run(["gcc", "-O2", "-o", str(program), str(sources[0])], check=True)
    return program
