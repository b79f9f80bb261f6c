"""No secret anywhere it should not be: everything is used once with secrets of its own, then searched.

Searched are log (at debug), database, WAL, backup, key file, metrics, every error body, pages, and
the process list, for each secret as it is, encoded, escaped, reversed and in pieces.
"""

import base64
import json
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from support.oauth import INTROSPECT, REVOKE, ask
from support.server import EMAIL, Reply, Server, gatepass, make_installation
from support.visitor import Visitor
from support.waiting import poll

OWN = "/v4/apiAccessTokens"


def new_password() -> str:
    return f"canary {secrets.token_hex(12)} 'quoted' \"twice\" ünïcode"


@dataclass
class Trial:
    """What was used, and where traces of it are looked for."""

    server: Server
    secrets: dict[str, str] = field(default_factory=dict)
    traces: dict[str, bytes] = field(default_factory=dict)

    def secret(self, name: str, text: str) -> str:
        self.secrets[name] = text
        return text

    def keep(self, name: str, reply: Reply) -> Reply:
        """Keep an answer that has to hold no secret."""
        self.traces[f"{name} ({reply.status})"] = bytes(reply.headers) + reply.body
        return reply

    def request(self, method: str, path: str, body: object = None, **how: object) -> Reply:
        return self.keep(f"{method} {path[:40]} #{len(self.traces)}", self.server.request(method, path, body, **how))

    def visit(self, visitor: Visitor, path: str) -> None:
        self.keep(f"page {path[:40]} #{len(self.traces)}", visitor.get(path))


def forms_of(text: str) -> Iterator[bytes]:
    """Return every way a secret could have been written down."""
    raw = text.encode()
    yield raw
    yield raw[::-1]
    yield quote(text, safe="").encode()
    yield quote(text).replace("%20", "+").encode()
    yield json.dumps(text)[1:-1].encode()
    yield json.dumps(text, ensure_ascii=False)[1:-1].encode()
    yield repr(text)[1:-1].encode()
    yield raw.hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + raw)
        yield encoded[4:-4]
        yield base64.urlsafe_b64encode(b"x" * shift + raw)[4:-4]
    middle = len(raw) // 2
    yield raw[middle - 10 : middle + 10]


def found_in(trial: Trial) -> list[str]:
    return [
        f"{name} in {place}"
        for name, text in trial.secrets.items()
        for place, content in trial.traces.items()
        if any(form in content for form in forms_of(text))
    ]


def use_rest(trial: Trial, admin: str) -> str:
    """Use every route of the API, well and badly; return a token that is still good."""
    basic, new = (EMAIL, admin), trial.secret("second password", new_password())
    made = trial.server.request("POST", OWN, {"lifetimeSeconds": 600}, basic=basic).json
    value, token_id = trial.secret("token", made["tokenValue"]), made["tokenInfo"]["tokenId"]
    headers = {"Idempotency-Key": "retry"}
    again = trial.server.request("POST", OWN, {"lifetimeSeconds": 600}, bearer=value, headers=headers).json
    trial.secret("derived token", again["tokenValue"])
    trial.request("GET", OWN, bearer=value)
    trial.request("GET", f"{OWN}/{token_id}", basic=basic)
    trial.request("GET", "/verify/some/path", bearer=value)
    for path in (
        f"/verify?token={value}",
        f"{OWN}?q={value}",
        f"{OWN}/{value}",
        f"/v4/{value}",
        f"/{value}",
        f"/static/{value}",
    ):
        trial.server.request("GET", path, bearer=value)  # a person's mistake; the answer may repeat it, logs may not
    trial.request("POST", OWN, {"lifetimeSeconds": value}, basic=basic)
    trial.request("POST", OWN, {"lifetimeSeconds": 60, "tokenValue": "x"}, bearer=value[:-1])
    trial.request("GET", OWN, basic=(EMAIL, trial.secret("wrong password", new_password())))
    trial.request("GET", OWN, basic=(trial.secret("password typed as a name", new_password()), "x"))
    trial.request("GET", OWN, headers={"Authorization": f"Digest {value}"})
    trial.request("GET", OWN, headers={"Cookie": f"gatepass={value}"})
    trial.request("GET", OWN, headers={"X-Request-Id": value})
    trial.request(
        "POST", "/v4/people", {"email": "b@example.com", "password": trial.secret("given", new_password())}, basic=basic
    )
    trial.request(
        "POST", "/v4/people", {"email": "c", "password": trial.secret("refused", new_password())}, basic=basic
    )
    linked = trial.server.request("POST", "/v4/people", {"email": "d@example.com"}, basic=basic).json
    trial.secret("link", linked["setPasswordUrl"].partition("link=")[2])
    trial.request(
        "PATCH", f"/v4/people/{linked['id']}", {"password": trial.secret("not taken", new_password())}, basic=basic
    )
    trial.request("PUT", "/v4/people/current/password", {"currentPassword": admin, "newPassword": new}, basic=basic)
    trial.request("PATCH", "/v4/settings", {"apiAccessTokens.enabled": value}, bearer=value)
    for path in ("/v4/people", "/v4/settings", "/v4/auditEvents", "/v4/people/current", "/openapi.json", "/readyz"):
        trial.request("GET", path, bearer=value)
    return value


def use_pages(trial: Trial) -> None:
    """Sign in, fail to, generate, change the password, look at every page."""
    admin, new = trial.secrets["second password"], trial.secret("third password", new_password())
    visitor = Visitor(trial.server)
    form = visitor.form("/sign-in", "/sign-in")
    trial.keep(
        "sign-in refused",
        visitor.post("/sign-in", {**form, "email": EMAIL, "password": trial.secret("page guess", new_password())}),
    )
    visitor.sign_in(EMAIL, admin)
    trial.secret("session", visitor.cookies["gatepass"])
    trial.secret("device", visitor.cookies["gatepass_device"])
    generate = "/settings/access-tokens/generate"
    page = visitor.submit(generate, generate, lifetimeDays="1").body.decode()
    trial.secret("token of the page", re.search(r"gpat_\w{61}", page)[0])
    link = visitor.submit("/admin/people/add", "/admin/people/add", email="e@example.com").body.decode()
    trial.secret("link of the page", re.search(r"link=([\w-]{43})", link)[1])
    path = f"/set-password?link={trial.secrets['link']}"
    Visitor(trial.server).submit(path, "/set-password", password="short", again="short")
    Visitor(trial.server).submit(
        path, "/set-password", password=(own := trial.secret("own", new_password())), again=own
    )
    profile = "/settings/profile"
    trial.keep("change", visitor.submit(profile, f"{profile}/password", current=admin, new=new, again=new))
    for path in (
        "/settings/access-tokens",
        profile,
        "/admin/people",
        "/admin/token-policy",
        "/admin/audit",
        "/admin/audit?q=x",
    ):
        trial.visit(visitor, path)
    visitor.submit(profile, "/sign-out")


def use_commands(trial: Trial, value: str) -> None:
    """Run commands with secrets from the environment, from standard input and from files."""
    server, password = trial.server, trial.secrets["third password"]
    env = {"GATEPASS_URL": server.url, "GATEPASS_TOKEN": value}
    for name, arguments, stdin in (
        ("list", ["token", "list"], ""),
        ("verify", ["token", "verify"], value),
        ("verify json", ["token", "verify", "--json"], value),
        ("show", ["token", "show", value], ""),
        ("wrong password", ["token", "list", "--email", EMAIL], trial.secret("typed", new_password())),
        ("unreachable", ["token", "list", "--url", "http://127.0.0.1:9", "--email", EMAIL], password),
        ("config", ["config", "show", "--origin", "--data", str(server.data)], ""),
        ("keys", ["key", "list", "--data", str(server.data)], ""),
    ):
        done = gatepass(*arguments, stdin=stdin, env=env)
        if name != "show":
            trial.traces[f"command {name}"] = (done.stdout + done.stderr).encode()
    made = gatepass("token", "create", "--lifetime", "1h", "--json", "--email", EMAIL, stdin=password, env=env)
    trial.secret("token of the command", json.loads(made.stdout)["tokenValue"])
    trial.traces["command create"] = made.stderr.encode()
    gatepass("user", "recover", EMAIL, "--data", str(server.data), stdin=trial.secret("recovered", new_password()))
    gatepass("db", "backup", str(server.data.parent / "backup.db"), "--data", str(server.data))


def use_oauth(trial: Trial, value: str) -> None:
    """Register a verifier, ask and revoke, well and badly."""
    server = trial.server
    made = gatepass("verifiers", "add", "canary", "--data", str(server.data))
    credential = trial.secret("verifier", made.stdout.strip())
    trial.traces["command verifiers add"] = made.stderr.encode()
    trial.traces["command verifiers list"] = gatepass("verifiers", "list", "--data", str(server.data)).stdout.encode()
    ended = server.request("POST", OWN, {"lifetimeSeconds": 600}, bearer=value).json["tokenValue"]
    trial.secret("revoked token", ended)
    for path in (INTROSPECT, REVOKE):
        for fields in ({"token": ended}, {"token": credential}, {ended: ended}, {"token": ended, "scope": ended}):
            for how in ({"bearer": credential}, {"basic": ("canary", credential)}, {"basic": ("x", ended)}):
                trial.keep(f"{path} #{len(trial.traces)}", ask(server, path, fields, **how))
                trial.keep(f"{path} #{len(trial.traces)}", ask(server, f"{path}?token={ended}", fields, **how))
    trial.keep("self", ask(server, REVOKE, {"token": ended}, bearer=ended))


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    admin = new_password()
    make_installation(tmp_path / "data", password=admin)
    with socket.create_server(("127.0.0.1", 0)) as free:
        metrics = f"127.0.0.1:{free.getsockname()[1]}"
    with Server(tmp_path / "data", "--metrics-listen", metrics, env={"GATEPASS_LOG__LEVEL": "debug"}) as server:
        trial = Trial(server)
        trial.secret("first password", admin)
        value = use_rest(trial, admin)
        use_pages(trial)
        use_commands(trial, value)
        use_oauth(trial, value)
        poll(lambda: server.request("GET", f"{OWN}?limit=1", bearer=value).json["data"][0]["lastUsed"])
        trial.traces["metrics"] = server.metrics(f"http://{metrics}/metrics").encode()
        trial.traces["process cmdline"] = Path(f"/proc/{server.pid}/cmdline").read_bytes()
        with suppress(PermissionError):  # only root reads it
            trial.traces["process environ"] = Path(f"/proc/{server.pid}/environ").read_bytes()
        for path in [*server.data.iterdir(), *server.data.parent.glob("backup.db*")]:
            trial.traces[f"file {path.name}"] = path.read_bytes()
        trial.traces["log"] = server.log.read_bytes()
        yield trial


def test_no_secret_is_found_anywhere(trial: Trial) -> None:
    # Somebody asked the audit log and lists for a token by its value: only answers to that may repeat it.
    assert len(trial.secrets) >= 15
    assert {"log", "metrics", "file gatepass.db", "file gatepass.db-wal", "file backup.db"} <= trial.traces.keys()
    assert b'"status": 401' in trial.traces["log"]
    assert found_in(trial) == []


def test_the_search_finds_a_secret_however_it_is_written(trial: Trial) -> None:
    secret = trial.secrets["token"]
    hidden = [
        secret,
        secret[::-1],
        quote(secret),
        secret.encode().hex(),
        base64.b64encode(f"Bearer {secret}".encode()).decode(),
    ]
    for text in (*hidden, json.dumps({"a": secret})):
        trial.traces["planted"] = f"a line with {text} in it".encode()
        assert "token in planted" in found_in(trial)
    password = trial.secrets["given"]
    for text in (quote(password), json.dumps(password), base64.b64encode(password.encode()).decode()):
        trial.traces["planted"] = text.encode()
        assert "given in planted" in found_in(trial)
