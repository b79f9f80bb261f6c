"""OpenID Connect and a trusted proxy at a running server: in, a token, and out again."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from support.openid import ALICE, CLIENT_ID, CLIENT_SECRET, OpenId, be_honest, running_openid
from support.server import EMAIL, PASSWORD, Server, basic_header, exchange, gatepass, make_installation
from support.visitor import Visitor, forms_of

HOME = "/settings/access-tokens"
HEADER = "X-Proxy-Assertion"
_CONFIG = """
[providers.corp]
kind = "oidc"
name = "Company"
issuer = "{issuer}"
client_id = "{client}"
admin_groups = ["admins"]
[providers.leaving]
kind = "oidc"
name = "Elsewhere"
issuer = "{issuer}"
client_id = "{client}"
sign_out_there = true
[providers.gate]
kind = "trusted_proxy"
name = "the gate"
header = "X-Proxy-Assertion"
issuer = "{issuer}"
audience = "tokens"
jwks = "{issuer}/jwks"
"""
_SECRETS = {f"GATEPASS_PROVIDERS__{each}__CLIENT_SECRET": CLIENT_SECRET for each in ("CORP", "LEAVING")}


@pytest.fixture(scope="module")
def running() -> Iterator[OpenId]:
    with running_openid() as provider:
        yield provider


@pytest.fixture
def op(running: OpenId) -> OpenId:
    return be_honest(running)


@pytest.fixture(scope="module")
def server(running: OpenId, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("oidc") / "data"
    make_installation(data)
    (data / "gatepass.toml").write_text(_CONFIG.format(issuer=running.issuer, client=CLIENT_ID))
    with Server(data, env=_SECRETS) as started:
        started.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
        yield started


def begin(visitor: Visitor, provider: str = "corp", **fields: str) -> str:
    """Press the button; return the address that the browser is sent to."""
    reply = visitor.submit("/sign-in", f"/sign-in/{provider}", **fields)
    assert reply.status == 200, reply.body
    return target_of(reply)


def target_of(reply) -> str:
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', reply.body.decode())
    assert found, reply.body
    return unescape(found[1])


def come_back(visitor: Visitor, answer: dict[str, str], provider: str = "corp"):
    from urllib.parse import urlencode

    return visitor.get(f"/sign-in/{provider}/callback?{urlencode(answer)}")


def sign_in(server: Server, op: OpenId, provider: str = "corp") -> Visitor:
    visitor = Visitor(server)
    reply = come_back(visitor, op.authorise(begin(visitor, provider)), provider)
    assert (reply.status, reply.headers["location"]) == (303, HOME), server.log.read_text()[-2000:]
    return visitor


def generate(visitor: Visitor) -> str:
    reply = visitor.submit(f"{HOME}/generate", f"{HOME}/generate", lifetimeDays="1")
    found = re.search(rb"gpat_\w+", reply.body)
    assert found, reply.body
    return found[0].decode()


def test_whoever_signs_in_there_generates_a_token_here_and_uses_it(server: Server, op: OpenId) -> None:
    value = generate(sign_in(server, op))
    me = server.request("GET", "/v4/people/current", bearer=value).json
    assert (me["email"], me["name"], me["isAdmin"]) == ("alice@example.com", "Alice Öz", False)
    assert server.request("GET", "/verify", bearer=value).status == 200


def test_the_next_sign_in_is_of_the_same_person_with_the_rights_of_the_day(server: Server, op: OpenId) -> None:
    first = server.request("GET", "/v4/people/current", bearer=generate(sign_in(server, op))).json
    op.person["groups"] = ["admins"]
    second = server.request("GET", "/v4/people/current", bearer=generate(sign_in(server, op))).json
    assert (second["id"], second["isAdmin"]) == (first["id"], True)


def test_an_address_that_is_not_vouched_for_takes_over_nobody(server: Server, op: OpenId) -> None:
    op.person = {**ALICE, "sub": "mallory", "email": EMAIL, "email_verified": "true"}
    me = server.request("GET", "/v4/people/current", bearer=generate(sign_in(server, op))).json
    assert me["email"] == "admin.example.com@corp"
    op.person = {**ALICE, "sub": "mallory-2", "email": EMAIL}
    visitor = Visitor(server)
    assert come_back(visitor, op.authorise(begin(visitor))).status == 401


def test_an_answer_for_another_browser_signs_nobody_in(server: Server, op: OpenId) -> None:
    attacker, victim = Visitor(server), Visitor(server)
    answer = op.authorise(begin(attacker))
    begin(victim)
    assert come_back(victim, answer).status == 401
    assert victim.get(HOME).status == 303


def test_an_answer_to_one_provider_is_none_to_the_other(server: Server, op: OpenId) -> None:
    visitor = Visitor(server)
    answer = op.authorise(begin(visitor, "leaving"))
    begin(visitor, "corp")
    assert come_back(visitor, answer, "corp").status == 401


def test_an_answer_counts_once_although_the_provider_takes_it_twice(server: Server, op: OpenId) -> None:
    op.takes_codes_twice = True
    visitor = Visitor(server)
    answer = op.authorise(begin(visitor))
    flow = visitor.cookies["gatepass-corp"]
    assert come_back(visitor, answer).status == 303
    other = Visitor(server)
    other.cookies["gatepass-corp"] = flow
    assert come_back(other, answer).status == 401
    assert other.get(HOME).status == 303


def test_a_refusal_says_why_in_the_log_alone(server: Server, op: OpenId) -> None:
    op.claims = {"aud": "wiki"}
    visitor = Visitor(server)
    reply = come_back(visitor, op.authorise(begin(visitor)))
    assert reply.status == 401
    assert b"audience" not in reply.body
    assert "for another audience" in server.log.read_text()


def test_an_outage_is_503_and_costs_nobody_a_session(server: Server, op: OpenId) -> None:
    visitor = sign_in(server, op)
    op.token_status = 500
    assert come_back(visitor, op.authorise(begin_again(visitor))).status == 503
    assert visitor.get(HOME).status == 200


def test_an_account_moves_to_the_provider_and_is_found_there(server: Server, op: OpenId) -> None:
    op.person = {**ALICE, "sub": "mover-1", "email": "mover@example.org"}
    before = server.create_person("mover@example.com")["id"]
    visitor, page = Visitor(server).sign_in("mover@example.com"), "/settings/profile/move/corp"
    answer = op.authorise(target_of(visitor.submit(page, page, password=PASSWORD)))
    reply = come_back(visitor, answer)
    assert (reply.status, reply.headers["location"]) == (303, f"{page}/confirm")
    assert visitor.submit(f"{page}/confirm", f"{page}/confirm").headers["location"] == "/settings/profile?done=moved"
    me = server.request("GET", "/v4/people/current", bearer=generate(sign_in(server, op))).json
    assert (me["id"], me["provider"]) == (before, "corp")
    assert server.request("GET", "/v4/people/current", basic=("mover@example.com", PASSWORD)).status == 401


def begin_again(visitor: Visitor) -> str:
    """Press the button for a fresh sign-in; the sign-in page itself is not shown to who is signed in."""
    form = visitor.form("/settings/profile", "/sign-out")
    return target_of(visitor.post("/sign-in/corp", {"csrf": form["csrf"]}))


def test_nothing_secret_is_in_the_log(server: Server, op: OpenId) -> None:
    visitor = Visitor(server)
    answer = op.authorise(begin(visitor))
    kept = op.codes[answer["code"]]
    come_back(visitor, answer)
    log = server.log.read_text()
    for secret in (
        CLIENT_SECRET,
        answer["code"],
        answer["state"],
        kept["nonce"],
        "access-token-1",
        "alice@example.com",
    ):
        assert secret not in log


def test_everybody_is_told_alike_where_a_first_token_comes_from(server: Server) -> None:
    said = {
        server.request("GET", "/v4/people/current", basic=(name, "wrong")).details
        for name in (EMAIL, "alice@example.com", "nobody", "admin.example.com@corp")
    }
    said.add(server.request("GET", "/v4/people/current").details)
    said.add(server.request("GET", "/v4/people/current", bearer="gpat_x").details)
    advice = (
        "The credentials are missing or cannot be used. People who sign in with Company or Elsewhere or the gate"
        f" generate their first token on the page {server.url}{HOME}."
    )
    assert said == {advice}


# Signing out: here, there, and there alone.


def test_who_signs_out_there_is_signed_out_here_and_keeps_their_tokens(server: Server, op: OpenId) -> None:
    visitor, other = sign_in(server, op), Visitor(server).sign_in()
    value = generate(visitor)
    message = op.logout_token()
    reply = tell(server, message)
    assert (reply.status, reply.body, reply.headers["cache-control"]) == (200, b"", "no-store")
    assert visitor.get(HOME).status == 303
    assert other.get(HOME).status == 200
    assert server.request("GET", "/verify", bearer=value).status == 200
    again = sign_in(server, op)
    assert tell(server, message).status == 400
    assert again.get(HOME).status == 200


def tell(server: Server, token: str, provider: str = "corp"):
    body = f"logout_token={token}".encode()
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    return server.request("POST", f"/sign-in/{provider}/back-channel-logout", raw=body, headers=sent)


def test_a_logout_message_that_proves_nothing_ends_nothing(server: Server, op: OpenId) -> None:
    visitor = sign_in(server, op)
    assert tell(server, op.logout_token(aud="wiki", jti="2")).status == 400
    assert tell(server, op.id_token({"nonce": "x"}, "")).status == 400
    assert tell(server, "").status == 400
    assert tell(server, op.logout_token(jti="3"), "gate").status == 404
    assert tell(server, op.logout_token(jti="4"), "nothing").status == 404
    op.down = frozenset({"/jwks"})
    op.header = {"kid": "unknown"}
    assert tell(server, op.logout_token(jti="5")).status in {400, 503}
    assert visitor.get(HOME).status == 200


def test_signing_out_leads_on_to_the_provider_where_the_site_says_so(server: Server, op: OpenId) -> None:
    op.person = {**ALICE, "sub": "carol", "email": "carol@example.com"}
    visitor = sign_in(server, op, "leaving")
    reply = visitor.post("/sign-out", visitor.form("/settings/profile", "/sign-out"))
    assert target_of(reply).startswith(
        f"{op.issuer}/leave?tenant=1&client_id={CLIENT_ID}&post_logout_redirect_uri=http"
    )
    assert reply.headers["clear-site-data"]
    assert visitor.get(HOME).status == 303
    op.person = dict(ALICE)
    plain = sign_in(server, op)
    reply = plain.post("/sign-out", plain.form("/settings/profile", "/sign-out"))
    assert reply.headers["location"] == "/sign-in?done=signed-out"


# A proxy in front.


def assertion(op: OpenId, sub: str = "alice", **changes: object) -> dict[str, str]:
    at = int(op.now.timestamp())
    told = {"iss": op.issuer, "aud": "tokens", "sub": sub, "email": f"{sub}@gate.example", "iat": at, "exp": at + 600}
    return {HEADER: op.sign({**told, **changes})}


def pass_gate(server: Server, headers: dict[str, str], more: dict[str, str] | None = None, *, provider: str = "gate"):
    visitor = Visitor(server)
    form = forms_of(visitor.get("/sign-in", headers))[f"/sign-in/{provider}"]
    return visitor, visitor.post(f"/sign-in/{provider}", form, {**headers, **(more or {})})


def test_who_comes_through_the_gate_signs_in_by_pressing_the_button(server: Server, op: OpenId) -> None:
    alice = assertion(op)
    visitor, reply = pass_gate(server, alice)
    assert (reply.status, reply.headers["location"]) == (303, HOME)
    assert b"alice.gate.example@gate" in visitor.get("/settings/profile", alice).body


def test_a_session_of_the_gate_is_good_while_the_gate_says_the_same(server: Server, op: OpenId) -> None:
    alice = assertion(op)
    visitor, _ = pass_gate(server, alice)
    at = int(op.now.timestamp())
    for headers in (
        {},
        assertion(op, "bob"),
        assertion(op, exp=at - 90),
        {**alice, "X_Proxy_Assertion": alice[HEADER]},
    ):
        assert visitor.get(HOME, headers).status == 303
        shown = visitor.get("/v4/people/current", headers)
        assert shown.status == 401
    assert visitor.get(HOME, alice).status == 200
    assert visitor.get("/v4/people/current", alice).status == 200


@pytest.mark.parametrize("name", ["X_Proxy_Assertion", "x-proxy_assertion", "X.Proxy.Assertion"])
def test_another_spelling_of_the_header_signs_nobody_in(server: Server, op: OpenId, name: str) -> None:
    alice = assertion(op)
    assert pass_gate(server, {name: alice[HEADER]})[1].status == 401
    assert pass_gate(server, alice, {name: alice[HEADER]})[1].status == 401


def test_the_gate_and_a_password_are_never_read_together(server: Server, op: OpenId) -> None:
    alice = assertion(op)
    assert server.request("GET", "/v4/people/current", headers=alice).status == 401
    assert server.request("GET", "/v4/people/current", headers=alice, basic=("alice", "wrong")).status == 401
    me = server.request("GET", "/v4/people/current", headers=alice, basic=(EMAIL, PASSWORD)).json
    assert me["email"] == EMAIL
    _, reply = pass_gate(server, alice, {"Authorization": basic_header(EMAIL, PASSWORD)})
    assert reply.status == 401


class _OverSocket(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self._path))


def test_a_plain_name_counts_on_a_unix_socket(tmp_path: Path) -> None:
    name = {"X-Name": "alice"}
    data = with_named_header(tmp_path)
    with Server(data, listen=f"unix:{tmp_path / 's'}") as over_socket:
        over_socket.request = _asking(tmp_path / "s")
        visitor, reply = pass_gate(over_socket, name)
        assert reply.status == 303
        assert b"alice@gate" in visitor.get("/settings/profile", name).body
        assert visitor.get(HOME, {"X-Name": "bob"}).status == 303


def with_named_header(folder: Path, more: str = "") -> Path:
    data = folder / "data"
    make_installation(data)
    config = f'[providers.gate]\nkind = "trusted_proxy"\nheader = "X-Name"\ntrust = "name"\n{more}'
    (data / "gatepass.toml").write_text(config)
    return data


def test_over_tcp_a_server_that_was_to_believe_a_plain_name_does_not_start(tmp_path: Path) -> None:
    data = with_named_header(tmp_path)
    done = gatepass("serve", "--data", str(data), "--listen", "127.0.0.1:0", "--metrics-listen", "off")
    assert done.returncode == 1
    assert (
        "providers.gate.trust: a plain name is believed on a unix socket, or from a proxy with a certificate, only"
        in done.stderr
    )
    found = gatepass("doctor", "--data", str(data), "--json")
    told = {each["check"]: str(each) for each in json.loads(found.stdout)["checks"]}["providers"]
    assert "believed on a unix socket" in told


def test_a_provider_that_is_switched_off_keeps_no_server_from_starting(tmp_path: Path) -> None:
    with Server(with_named_header(tmp_path, "enabled = false\n")) as started:
        assert started.admin("GET", "/v4/people/current").status == 200


def _asking(path: Path):
    def request(method, target, body=None, *, raw=None, headers=None, seconds=30):
        return exchange(_OverSocket(path), method, target, raw, {**(headers or {}), "Host": "localhost"})

    return request
