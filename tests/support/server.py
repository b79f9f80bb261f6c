"""A real `gatepass serve` as a process of its own, on a free port."""

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EMAIL = "admin@example.com"
PASSWORD = "orchard lantern seventeen"
READY_SECONDS = 20
REAL_PROGRAM = (sys.executable, "-m", "gatepass")
PROGRAM: tuple[str, ...] = (sys.executable, "-m", "support.quick")
TESTS = Path(__file__).parents[1]
# The throttle has tests of its own; the others must not trip over each other's failures.
UNTHROTTLED = {
    "GATEPASS_SIGN_IN__FREE_FAILURES_PER_ACCOUNT": "100000",
    "GATEPASS_SIGN_IN__FREE_FAILURES_PER_ADDRESS": "100000",
    "GATEPASS_SIGN_IN__UNKNOWN_TOKENS_PER_MINUTE": "1000000",
}


@dataclass(frozen=True)
class Reply:
    """An answer, as it came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return self.json["exception"]["name"]

    @property
    def details(self) -> str:
        return self.json["exception"]["details"]


def gatepass(
    *arguments: str, cwd: Path | None = None, stdin: str = "", env: Mapping[str, str] | None = None, timeout: float = 60
):
    """Run the command line to its end."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=cwd,
        input=stdin,
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without any GATEPASS_ variable of whoever runs the tests, and with what PROGRAM is in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEPASS_")}
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(TESTS)]))
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": path} | dict(extra or {})


def make_installation(
    data: Path,
    *,
    email: str = EMAIL,
    password: str = PASSWORD,
    enable_tokens: bool = True,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run `gatepass init`."""
    flags = ["--enable-tokens"] if enable_tokens else []
    done = gatepass(
        "init", "--data", str(data), "--email", email, "--password-file", "-", *flags, stdin=password, env=env
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)


class Server:
    """A running server over one data directory. Start it again after `kill` or `stop` as you like."""

    def __init__(
        self, data: Path, *flags: str, env: Mapping[str, str] | None = None, listen: str = "127.0.0.1:0"
    ) -> None:
        self.data = data
        self.flags = flags
        self.env = environment({**UNTHROTTLED, **(env or {})})
        self.listen = listen
        self.url = ""
        self.log = data.parent / f"{data.name}.log"
        self.program: list[str] | None = None
        """What to run instead of the command line itself."""
        self.command = "serve"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Server":
        program = self.program or PROGRAM
        place = [] if "--upstream" in self.flags else ["--data", str(self.data)]
        command = [*program, self.command, *place, "--listen", self.listen]
        if self.command == "serve" and "--metrics-listen" not in self.flags:
            command += ["--metrics-listen", "off"]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [*command, *self.flags],
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.env,
                text=True,
            )
        assert self._process.stdout is not None
        stuck = threading.Timer(READY_SECONDS, self._process.kill)
        stuck.start()
        for line in self._process.stdout:
            if line.startswith("listening on "):
                self.url = line.removeprefix("listening on ").strip()
                break
        stuck.cancel()
        if not self.url:
            raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_dead(self) -> bool:
        return self._process is None or self._process.poll() is not None

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def stop(self) -> int:
        """End it cleanly; return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None
        self.url = ""
        return code

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        basic: tuple[str, str] | None = None,
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
        seconds: float = 30,
    ) -> Reply:
        """Send one request on a connection of its own. `body` is sent as JSON, `raw` as it is."""
        sent = dict(headers or {})
        if body is not None:
            raw = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if basic is not None:
            sent["Authorization"] = basic_header(*basic)
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer}"
        return exchange(http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds), method, path, raw, sent)

    def admin(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a request as the administrator, with the password."""
        return self.request(method, path, body, basic=(EMAIL, PASSWORD))

    def create_token(self, *, basic: tuple[str, str] = (EMAIL, PASSWORD), **fields: Any) -> tuple[str, dict[str, Any]]:
        """Create a token; return its value and its info."""
        made = self.request("POST", "/v4/apiAccessTokens", {"lifetimeSeconds": 86400, **fields}, basic=basic)
        assert made.status == 201, made.body
        return made.json["tokenValue"], made.json["tokenInfo"]

    def create_person(self, email: str, *, password: str = PASSWORD, **fields: Any) -> dict[str, Any]:
        """Add a person with a password, as the administrator."""
        made = self.admin("POST", "/v4/people", {"email": email, "password": password, **fields})
        assert made.status == 201, made.body
        return made.json

    def metrics(self, url: str) -> str:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return reply.read().decode()


def exchange(
    connection: http.client.HTTPConnection, method: str, path: str, raw: bytes | None, headers: Mapping[str, str]
) -> Reply:
    """Send one request on a connection of its own, and close that."""
    try:
        connection.request(method, path, raw, dict(headers))
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    finally:
        connection.close()


def basic_header(email: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()


def with_shortest_bound(data: Path) -> Server:
    """Make an installation whose deletions count elsewhere within a second; return its server, to be started."""
    make_installation(data)
    gatepass("settings", "set", "verifiers.boundSeconds", "1", "--data", str(data))
    return Server(data)
