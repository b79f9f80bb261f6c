"""How answers look: errors, headers, challenges, paths, methods, proxies."""

import json

import pytest

from support.server import EMAIL, PASSWORD, Server, make_installation
from support.visitor import Visitor

OWN = "/v4/apiAccessTokens"
PEOPLE = {"exception": {"name": "MissingPersonException", "message": "Person is missing"}}


def test_an_error_has_the_form_of_the_reference(server: Server) -> None:
    reply = server.request("GET", OWN)
    assert reply.status == 401
    assert reply.headers["content-type"] == "application/json"
    body = reply.json["exception"]
    assert body.keys() == {"name", "message", "details"}
    assert (body["name"], body["message"]) == ("MissingPersonException", "Person is missing")
    assert body["details"] == "The credentials are missing or cannot be used."


def test_error_bodies_hold_nothing_that_differs_between_requests(server: Server) -> None:
    for path in (OWN, "/v4/nowhere", f"{OWN}/x"):
        assert len({server.request("GET", path).body for _ in range(3)}) == 1


def test_all_unusable_credentials_look_alike(own_server: Server) -> None:
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
    people = [own_server.create_person(f"p{number}@example.com") for number in range(3)]
    values = {}
    for name, person in zip(("disabled", "gone", "live"), people, strict=True):
        values[name], info = own_server.create_token(basic=(person["email"], PASSWORD))
    own_server.admin("PATCH", f"/v4/people/{people[0]['id']}", {"isDisabled": True})
    own_server.admin("DELETE", f"/v4/people/{people[1]['id']}")
    own_server.admin("DELETE", f"{OWN}/{info['tokenId']}")
    values["deleted"] = values.pop("live")
    values["malformed"] = "nonsense"
    values["unknown"] = "gpat_00000000000000000000000000000000000000000000000000000003Vuzr"
    told = set()
    for value in values.values():
        for path in ("/v4/people/current", "/verify"):
            reply = own_server.request("GET", path, bearer=value)
            kept = {name: text for name, text in reply.headers.items() if name not in {"date", "x-request-id"}}
            told.add((path, reply.status, reply.body, json.dumps(kept)))
    assert len(told) == 2


def test_the_true_reason_is_in_the_log(own_server: Server) -> None:
    value, info = own_server.create_token()
    own_server.admin("DELETE", f"{OWN}/{info['tokenId']}")
    own_server.request("GET", "/verify", bearer=value, headers={"X-Request-Id": "why-refused"})
    own_server.stop()
    lines = [json.loads(line) for line in own_server.log.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == "why-refused"]
    assert (line["refusal"], line["token_id"], line["status"]) == ("deleted", info["tokenId"], 401)
    assert value not in own_server.log.read_text()


def test_a_401_of_the_api_asks_for_bearer_or_basic(server: Server) -> None:
    reply = server.request("GET", OWN)
    assert reply.headers.get_all("www-authenticate") == [
        'Bearer realm="gatepass"',
        'Basic realm="gatepass", charset="UTF-8"',
    ]


def test_a_401_for_a_refused_token_says_so_and_no_more(server: Server) -> None:
    reply = server.request("GET", OWN, bearer="nonsense")
    assert reply.headers.get_all("www-authenticate")[0] == 'Bearer realm="gatepass", error="invalid_token"'
    assert server.request("GET", "/verify", bearer="nonsense").headers.get_all("www-authenticate") == [
        'Bearer realm="gatepass", error="invalid_token"'
    ]


@pytest.mark.parametrize("headers", [{"Cookie": "a=b"}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Mode": "cors"}])
def test_a_browser_is_never_asked_for_basic(server: Server, headers: dict[str, str]) -> None:
    challenges = server.request("GET", OWN, headers=headers).headers.get_all("www-authenticate")
    assert challenges == ['Bearer realm="gatepass"']


def test_each_answer_has_an_id_and_a_given_one_is_kept_if_harmless(server: Server) -> None:
    for path in (OWN, "/verify", "/livez", "/nowhere", "/sign-in", "/openapi.json"):
        assert server.request("GET", path).headers["x-request-id"]
        kept = server.request("GET", path, headers={"X-Request-Id": "Az09._-"})
        assert kept.headers["x-request-id"] == "Az09._-"
    for bad in ("", "a b", "x" * 65, "é", "a;b", "<script>"):
        assert server.request("GET", OWN, headers={"X-Request-Id": bad}).headers["x-request-id"] != bad


def test_api_answers_are_never_kept_by_a_cache(server: Server) -> None:
    value, _ = server.create_token()
    for path in (OWN, "/v4/people/current", "/v4/nowhere", "/verify"):
        assert server.request("GET", path, bearer=value).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/v4/APIACCESSTOKENS", "/V4/apiaccesstokens/", "/v4/apiAccessTokens/", "/v4/People/Current/", "/V4/SETTINGS"],
)
def test_case_and_a_last_slash_are_answered_in_place(server: Server, path: str) -> None:
    assert server.admin("GET", path).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v4//apiAccessTokens",
        "/v4/apiAccessTokens//",
        "/v4",
        "/v4/x",
        "/v4/people/x/y",
        "/v3/people/current",
        "/v4/apiAccessTokens/x/y",
    ],
)
def test_other_paths_are_no_routes(server: Server, path: str) -> None:
    assert server.admin("GET", path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", OWN, "GET, HEAD, POST"),
        ("DELETE", OWN, "GET, HEAD, POST"),
        ("TRACE", OWN, "GET, HEAD, POST"),
        ("OPTIONS", OWN, "GET, HEAD, POST"),
        ("PROPFIND", OWN, "GET, HEAD, POST"),
        ("POST", "/v4/people/current", "GET, HEAD"),
        ("GET", "/v4/people/current/password", "PUT"),
        ("DELETE", "/v4/settings", "GET, HEAD, PATCH"),
    ],
)
def test_another_method_is_405_and_says_which_there_are(server: Server, method: str, path: str, allowed: str) -> None:
    reply = server.request(method, path)
    assert reply.status == 405
    assert reply.headers["allow"] == allowed


def test_head_is_get_without_the_body(server: Server) -> None:
    got, head = (server.admin(method, "/v4/people/current") for method in ("GET", "HEAD"))
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(got.body))


def test_an_authorization_header_alone_counts(server: Server) -> None:
    visitor = Visitor(server).sign_in()
    assert visitor.get("/v4/people/current").status == 200
    assert visitor.get("/v4/people/current", {"Authorization": "Bearer x"}).status == 401
    assert visitor.get("/v4/people/current", {"Authorization": ""}).status == 401


def test_there_are_no_cross_origin_headers(server: Server) -> None:
    reply = server.request(
        "OPTIONS", OWN, headers={"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}
    )
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]


def test_nothing_says_which_software_answers(server: Server) -> None:
    assert server.request("GET", OWN).headers["server"] is None


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory):
    data = tmp_path_factory.mktemp("proxied") / "data"
    make_installation(data)
    with Server(data, env={"GATEPASS_SERVER__TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}) as server:
        yield server


class TestAddresses:
    """Where a request comes from, as the audit log has it."""

    @pytest.mark.parametrize(
        ("forwarded", "address"),
        [
            ("203.0.113.7", "203.0.113.7"),
            ("1.1.1.1, 203.0.113.7", "203.0.113.7"),
            ("203.0.113.7, 10.1.2.3", "203.0.113.7"),
            ("1.1.1.1, 203.0.113.7, 10.1.2.3, 10.9.9.9", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("", "127.0.0.1"),
            ("unknown", "127.0.0.1"),
            ("203.0.113.7, unknown", "127.0.0.1"),
            ("203.0.113.7, <script>, 10.1.2.3", "10.1.2.3"),
            ("fe80::1%eth0", "fe80::1"),
            ("127.0.0.1", "127.0.0.1"),
            ("203.0.113.7:443", "127.0.0.1"),
            ("x" * 8000, "127.0.0.1"),
        ],
    )
    def test_a_trusted_proxy_says_where_a_request_comes_from(
        self, proxied: Server, forwarded: str, address: str
    ) -> None:
        assert self.seen(proxied, {"X-Forwarded-For": forwarded}) == address

    def test_nobody_is_trusted_by_default(self, server: Server) -> None:
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP"):
            assert self.seen(server, {name: "203.0.113.7"}) == "127.0.0.1"

    def seen(self, server: Server, headers: dict[str, str]) -> str:
        server.request("POST", OWN, {"lifetimeSeconds": 60}, basic=(EMAIL, PASSWORD), headers=headers)
        return server.admin("GET", "/v4/auditEvents").json["data"][-1]["address"]


def test_links_come_from_configuration_and_not_from_the_request(server: Server) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    reply = server.request(
        "POST", "/v4/people", {"email": "host@example.com"}, basic=(EMAIL, PASSWORD), headers=headers
    )
    assert reply.json["setPasswordUrl"].startswith(server.url)
