"""Bad input: each a clear error that names the field, and nothing changed."""

import base64
import json

import pytest

from support.server import EMAIL, PASSWORD, Server, basic_header
from support.visitor import Visitor

OWN = "/v4/apiAccessTokens"
JSON = {"Content-Type": "application/json"}

BAD_RIGHTS = [
    ("scopes", "jobs:run", "expected array"),
    ("scopes", {"jobs": "run"}, "expected array"),
    ("scopes", [1], "expected str"),
    ("scopes", [None], "expected str"),
    ("scopes", ["a"], "'a' is not a scope"),
    ("scopes", ["A:b"], "'A:b' is not a scope"),
    ("scopes", ["a:b:c"], "'a:b:c' is not a scope"),
    ("scopes", ["a:"], "is not a scope"),
    ("scopes", [":b"], "is not a scope"),
    ("scopes", ["a:b c:d"], "is not a scope"),
    ("scopes", ["a*:b"], "is not a scope"),
    ("scopes", ["**:b"], "is not a scope"),
    ("scopes", ["-a:b"], "is not a scope"),
    ("scopes", [""], "is not a scope"),
    ("scopes", ["jobs:run\n"], "is not a scope"),
    ("scopes", ["é:b"], "is not a scope"),
    ("scopes", ["a:" + "b" * 65], "is not a scope"),
    ("scopes", [f"a:b{number}" for number in range(65)], "at most 64"),
    ("allowedNetworks", "10.0.0.0/8", "expected array"),
    ("allowedNetworks", [8], "expected str"),
    ("allowedNetworks", [], "names no network"),
    ("allowedNetworks", ["10.1.2.3/8"], "'10.1.2.3/8' is not a network"),
    ("allowedNetworks", ["10.0.0.0/33"], "is not a network"),
    ("allowedNetworks", ["10.0.0.0/8 "], "is not a network"),
    ("allowedNetworks", ["localhost"], "is not a network"),
    ("allowedNetworks", [""], "is not a network"),
    ("allowedNetworks", ["::ffff:10.0.0.0/104"], "write an IPv4 network as such"),
    ("allowedNetworks", ["fe80::1%eth0"], "without a zone"),
    ("allowedNetworks", [f"10.0.0.{number}" for number in range(65)], "at most 64"),
    ("audience", "orders", "expected array"),
    ("audience", [True], "expected str"),
    ("audience", [], "names no service"),
    ("audience", ["two words"], "without spaces"),
    ("audience", [""], "without spaces"),
    ("audience", ["x" * 201], "1 to 200"),
    ("audience", ["é"], "printable"),
    ("audience", [f"service-{number}" for number in range(17)], "at most 16"),
]


def post(server: Server, raw: bytes, headers: dict[str, str] | None = None):
    sent = {"Authorization": basic_header(EMAIL, PASSWORD), **JSON, **(headers or {})}
    return server.request("POST", OWN, raw=raw, headers=sent)


@pytest.fixture
def nothing_changes(server: Server):
    """Nothing is added to what the administrator has, and no record to the audit log."""

    def state() -> tuple[int, int]:
        tokens = server.admin("GET", f"{OWN}?status=all").json["data"]
        events = server.admin("GET", "/v4/auditEvents").json["data"]
        return len(tokens), len([event for event in events if event["action"] != "sign-in.refused"])

    before = state()
    yield
    assert state() == before


@pytest.mark.usefixtures("nothing_changes")
class TestNothingIsMade:
    @pytest.mark.parametrize(
        "lifetime",
        ["0", "-2", "1.5", "86400.0", '"100"', "true", "null", "1e400", "1e3", "1000000000000000", "NaN", "[]", "{}"],
    )
    def test_a_lifetime_that_is_none_is_400(self, server: Server, lifetime: str) -> None:
        reply = post(server, b'{"lifetimeSeconds":%s}' % lifetime.encode())
        assert (reply.status, reply.error) == (400, "ValidationFailed")
        assert reply.details.startswith(
            ("lifetimeSeconds: ", "body: is not JSON") if lifetime == "NaN" else "lifetimeSeconds: "
        )

    def test_a_missing_lifetime_is_400(self, server: Server) -> None:
        assert post(server, b"{}").details == "lifetimeSeconds: is required"

    @pytest.mark.parametrize("field", ["scope", "networks", "expiredAt", "ownerId", "lifetimeSecond", "é"])
    def test_an_unknown_field_is_400(self, server: Server, field: str) -> None:
        reply = post(server, json.dumps({"lifetimeSeconds": 60, field: None}).encode())
        assert reply.status == 400
        assert "is not a field of this request" in reply.details
        assert field.encode("ascii", "backslashreplace").decode() in reply.details

    @pytest.mark.parametrize(("field", "value", "reason"), BAD_RIGHTS)
    def test_rights_that_cannot_be_are_400_and_name_their_field(
        self, server: Server, field: str, value: object, reason: str
    ) -> None:
        reply = post(server, json.dumps({"lifetimeSeconds": 60, field: value}).encode())
        assert (reply.status, reply.error) == (400, "ValidationFailed")
        assert reply.details.startswith(field)
        assert reason in reply.details

    def test_a_field_that_stands_twice_is_400(self, server: Server) -> None:
        reply = post(server, b'{"lifetimeSeconds":60,"lifetimeSeconds":-1}')
        assert reply.details == "lifetimeSeconds: stands in the body twice"

    @pytest.mark.parametrize("text", ["x" * 201, "a\nb", "a\x00b", "\x1b[31mred", "\u2028", "\u202e"])
    def test_a_bad_description_is_400(self, server: Server, text: str) -> None:
        reply = post(server, json.dumps({"lifetimeSeconds": 60, "description": text}).encode())
        assert reply.status == 400
        assert reply.details.startswith("description: must")

    @pytest.mark.parametrize("value", [1, True, [], {}])
    def test_a_description_that_is_no_text_is_400(self, server: Server, value: object) -> None:
        reply = post(server, json.dumps({"lifetimeSeconds": 60, "description": value}).encode())
        assert reply.details.startswith("description: expected str")

    def test_a_lone_surrogate_is_400(self, server: Server) -> None:
        assert post(server, rb'{"lifetimeSeconds":60,"description":"\ud800"}').status == 400

    @pytest.mark.parametrize(
        ("raw", "details"),
        [
            (b"", "body: is not JSON"),
            (b"{", "body: is not JSON"),
            (b"lifetimeSeconds=60", "body: is not JSON"),
            (b"\xff\xfe", "body: is not UTF-8"),
            (b"[]", "body: must be a JSON object"),
            (b'"x"', "body: must be a JSON object"),
            (b"null", "body: must be a JSON object"),
            (b"\xef\xbb\xbf{}", "body: is not JSON"),
            (b"[" * 30_000, "body: is nested deeper than 20 levels"),
            (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "body: is nested deeper than 20 levels"),
            (b'{"lifetimeSeconds":' + b"9" * 5000 + b"}", "body: is not JSON"),
        ],
    )
    def test_a_body_that_is_no_json_object_is_400(self, server: Server, raw: bytes, details: str) -> None:
        reply = post(server, raw)
        assert (reply.status, reply.error, reply.details) == (400, "ValidationFailed", details)

    def test_a_body_nested_a_hundred_thousand_deep_is_refused(self, server: Server) -> None:
        assert post(server, b"[" * 100_000).status == 413
        assert post(server, b"[" * 65_536).status == 400

    def test_a_body_over_64_kib_is_413(self, server: Server) -> None:
        padded = b'{"lifetimeSeconds":0}'
        assert post(server, padded + b" " * (65_536 - len(padded))).status == 400
        reply = post(server, padded + b" " * (65_537 - len(padded)))
        assert (reply.status, reply.error) == (413, "PayloadTooLargeException")

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
    def test_another_content_type_is_415(self, server: Server, kind: str) -> None:
        reply = post(server, b'{"lifetimeSeconds":60}', {"Content-Type": kind})
        assert (reply.status, reply.error) == (415, "UnsupportedMediaTypeException")

    @pytest.mark.parametrize("key", ["", "x" * 256, "clé"])
    def test_a_bad_idempotency_key_is_400(self, server: Server, key: str) -> None:
        reply = post(server, b'{"lifetimeSeconds":60}', {"Idempotency-Key": key})
        assert reply.status == 400
        assert reply.details.startswith("Idempotency-Key: must be")


def test_json_with_a_charset_is_json(server: Server) -> None:
    assert post(server, b'{"lifetimeSeconds":60}', {"Content-Type": "Application/JSON; charset=utf-8"}).status == 201


def test_a_lifetime_over_the_maximum_is_400_and_names_it(own_server: Server) -> None:
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.maximumLifetimeDays": 1})
    for lifetime in (86_401, -1):
        reply = own_server.admin("POST", OWN, {"lifetimeSeconds": lifetime})
        assert reply.status == 400
        assert reply.details.startswith("lifetimeSeconds: must be at most 86400")


def raw_request(server: Server, *lines: str) -> bytes:
    import socket

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "Host: x", "Connection: close", "", ""]).encode("latin-1"))
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_two_authorization_headers_are_400_and_at_verify_401(server: Server) -> None:
    value, _ = server.create_token()
    header = f"Authorization: Bearer {value}"
    assert raw_request(server, "GET /v4/people/current HTTP/1.1", header, header).startswith(b"HTTP/1.1 400")
    assert raw_request(server, "GET /verify HTTP/1.1", header, header).startswith(b"HTTP/1.1 401")


def near(value: str) -> list[str]:
    """Return what comes close to a good Authorization header and is none."""
    return [
        f"Bearer  {value}", f"Bearer\t{value}", f"Bearer {value} ", f"Token {value}", value, f"Bearer{value}", "Bearer", "Bearer ",
        f"Bearer {value},{value}", f'Bearer "{value}"', f"Bearer {value.lower()}", f"Bearer {value[:-1]}", f"Bearer {value[1:]}",
        f"Bearer {value}0", f"Bearer {value.replace('_', '%5F')}", f"Basic {value}", "Basic", "Basic !!!", "Digest x", "", "\xff",
    ]  # fmt: skip


def test_headers_that_come_close_are_401(server: Server) -> None:
    value, _ = server.create_token()
    for header in near(value):
        for path in ("/v4/people/current", "/verify"):
            answer = raw_request(server, f"GET {path} HTTP/1.1", f"Authorization: {header}")
            assert answer.startswith(b"HTTP/1.1 401"), (header, path, answer[:60])


def test_the_scheme_is_read_without_case(server: Server) -> None:
    value, _ = server.create_token()
    for scheme in ("bearer", "BEARER", "bEaReR"):
        reply = server.request("GET", "/verify", headers={"Authorization": f"{scheme} {value}"})
        assert reply.status == 200


def test_every_prefix_suffix_and_change_of_a_live_token_is_401(server: Server) -> None:
    value, _ = server.create_token()
    tries = {value[:cut] for cut in range(len(value))} | {value[cut:] for cut in range(1, len(value))}
    tries |= {value[:place] + ("a" if value[place] != "a" else "b") + value[place + 1 :] for place in range(len(value))}
    tries |= {value[:place] + value[place].swapcase() + value[place + 1 :] for place in range(len(value))} - {value}
    for text in tries:
        assert server.request("GET", "/verify", bearer=text).status == 401, text
    assert server.request("GET", "/verify", bearer=value).status == 200


@pytest.mark.parametrize("path", ["/verify", "/v4/people/current"])
def test_a_token_in_the_query_in_a_cookie_or_in_a_body_is_401(server: Server, path: str) -> None:
    value, _ = server.create_token()
    for name in ("access_token", "token", "api_key", "private_token"):
        assert server.request("GET", f"{path}?{name}={value}").status == 401
        assert server.request("GET", path, headers={"Cookie": f"{name}={value}; gatepass={value}"}).status == 401
    assert server.request("POST", "/verify", {"token": value}).status == 401


def encoded(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "header",
    [
        encoded(EMAIL.encode()),
        encoded(b""),
        encoded(b":"),
        encoded(f":{PASSWORD}".encode()),
        encoded(f"{EMAIL}:".encode()),
        encoded(b"\xff\xfe:\xff"),
        encoded(f"{EMAIL}:".encode() + b"\xff"),
        encoded(f"{EMAIL} :{PASSWORD}".encode()),
        encoded(f"{EMAIL}:{PASSWORD}\x00".encode()),
        encoded("adm\u0131n@example.com:x".encode()),
        "Basic " + base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode().rstrip("=") + "*",
        "Basic",
    ],
)  # fmt: skip
def test_basic_that_cannot_be_used_is_401_like_any_other(server: Server, header: str) -> None:
    reply = server.request("GET", "/v4/people/current", headers={"Authorization": header})
    unknown = server.request("GET", "/v4/people/current", basic=("nobody@example.com", "x"))
    assert (reply.status, reply.body) == (unknown.status, unknown.body) == (401, reply.body)


def test_a_password_may_hold_colons_and_any_unicode(server: Server) -> None:
    password = "dóppel:punkt::日本語:🙂"
    server.create_person("colon@example.com", password=password)
    assert server.request("GET", "/v4/people/current", basic=("colon@example.com", password)).status == 200


def test_a_password_of_a_mebibyte_is_refused_and_the_server_goes_on(server: Server) -> None:
    form = Visitor(server)
    fields = form.form("/sign-in", "/sign-in")
    assert form.post("/sign-in", {**fields, "email": EMAIL, "password": "x" * 2**20}).status == 413
    assert server.request("GET", "/v4/people/current", basic=(EMAIL, "x" * 2**20)).status == 431
    assert server.admin("GET", "/v4/people/current").status == 200


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "limit=1.0", "limit=", "offset=-1", "offset=x",
                                   "after=x", "after=", "limit=1&limit=2", "status=gone", "status=", "limit=%FF"])  # fmt: skip
def test_a_list_asked_for_wrongly_is_400_and_names_the_parameter(server: Server, query: str) -> None:
    reply = server.admin("GET", f"{OWN}?{query}")
    assert (reply.status, reply.error) == (400, "ValidationFailed")
    assert reply.details.startswith(query.partition("=")[0] if "%" not in query else "query")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "token_id",
    ["{tokenId}", ":tokenId", "01a20d1f-00c9-7000-b8dc-c8f9fd073580", "01A20D1F-00C9-7000-B8DC-C8F9FD073580", "x", "..", "%00",
     "01a20d1f00c97000b8dcc8f9fd073580", "*", "1 OR 1=1"],
)  # fmt: skip
def test_an_id_that_does_not_exist_is_404(server: Server, method: str, token_id: str) -> None:
    from urllib.parse import quote

    reply = server.admin(method, f"{OWN}/{quote(token_id)}")
    assert reply.status == 404
    assert reply.error in {"DataNotFoundException", "RouteNotFoundException"}


def test_an_id_in_upper_case_or_without_dashes_is_another_id(server: Server) -> None:
    _, info = server.create_token()
    for text in (info["tokenId"].upper(), info["tokenId"].replace("-", "")):
        assert server.admin("GET", f"{OWN}/{text}").error == "DataNotFoundException"


@pytest.mark.parametrize(
    ("method", "path", "raw"),
    [
        ("POST", OWN, rb'{"lifetimeSeconds":60,"\ud800":1}'),
        ("POST", OWN, rb'{"lifetimeSeconds":60,"\udfff\ud800":{"\ud800":1}}'),
        ("POST", OWN, rb'{"lifetimeSeconds":"\ud800"}'),
        ("PATCH", "/v4/settings", rb'{"\ud800":1}'),
        ("PATCH", "/v4/settings", rb'{"tokens.retentionDays":"\ud800"}'),
        ("PATCH", "/v4/settings", rb'{"tokens.retentionDays":{"\ud800":1}}'),
        ("POST", "/v4/people", rb'{"email":"a@example.com","name":"\ud800"}'),
        ("POST", "/v4/people", rb'{"email":"a@example.com","password":"\ud800\ud800\ud800\ud800\ud800\ud800\ud800"}'),
    ],
)
def test_a_lone_surrogate_anywhere_is_400(server: Server, method: str, path: str, raw: bytes) -> None:
    reply = server.request(method, path, raw=raw, headers=JSON, basic=(EMAIL, PASSWORD))
    assert (reply.status, reply.error) == (400, "ValidationFailed")


def test_a_long_name_that_nobody_knows_is_not_sent_back_whole(server: Server) -> None:
    for method, path in (("PATCH", "/v4/settings"), ("POST", OWN)):
        reply = server.request(method, path, {"x" * 5000: 1}, basic=(EMAIL, PASSWORD))
        assert reply.status == 400
        assert "x" * 50 in reply.details
        assert "x" * 100 not in reply.details


def test_too_much_and_too_deep_are_refused_before_anybody_is_known(server: Server) -> None:
    for raw, status in ((b"x" * 65_537, 413), (b"[" * 65_536, 401), (b'{"a":' * 10_000, 401)):
        assert server.request("POST", OWN, raw=raw, headers=JSON).status == status
