"""Restricted tokens on a real server: what comes back, and what `/verify` and `/v4` refuse."""

import json

import pytest

from support.server import Reply, Server

OWN = "/v4/apiAccessTokens"
CURRENT = "/v4/people/current"
PROXY = {"GATEPASS_SERVER__TRUSTED_PROXIES": "127.0.0.1"}


def verify(server: Server, value: str, query: str = "", *, client: str | None = None, path: str = "/verify") -> Reply:
    headers = {} if client is None else {"X-Forwarded-For": client}
    return server.request("GET", f"{path}{query}", bearer=value, headers=headers)


def test_rights_come_back_in_every_answer(server: Server) -> None:
    given = {
        "scopes": ["jobs:run", "*:read"],
        "allowedNetworks": ["127.0.0.0/8", "2001:db8::/32"],
        "audience": ["gatepass", "orders"],
    }
    _, info = server.create_token(description="restricted", **given)
    listed = server.admin("GET", f"{OWN}?q=restricted").json["data"][0]
    single = server.admin("GET", f"{OWN}/{info['tokenId']}").json
    for answer in (info, listed, single):
        assert {name: answer[name] for name in given} == given


def test_a_token_without_restrictions_says_null(server: Server) -> None:
    _, info = server.create_token(scopes=None)
    assert [info[name] for name in ("scopes", "allowedNetworks", "audience")] == [None] * 3


def test_no_scopes_and_lone_addresses_come_back_as_what_they_are(server: Server) -> None:
    _, info = server.create_token(scopes=[], allowedNetworks=["192.0.2.7", "2001:DB8::1"])
    assert (info["scopes"], info["allowedNetworks"]) == ([], ["192.0.2.7/32", "2001:db8::1/128"])


def test_the_audit_log_says_what_a_token_is_restricted_to(own_server: Server) -> None:
    own_server.create_token(scopes=["jobs:run"], allowedNetworks=["10.0.0.0/8"], audience=["orders"])
    made = [
        each for each in own_server.admin("GET", "/v4/auditEvents").json["data"] if each["action"] == "token.created"
    ]
    details = made[-1]["details"]
    assert (details["scopes"], details["allowedNetworks"], details["audience"]) == (
        ["jobs:run"],
        ["10.0.0.0/8"],
        ["orders"],
    )


@pytest.mark.parametrize(
    ("scopes", "query", "status"),
    [
        (None, "?scope=jobs:run", 200),
        (["jobs:run"], "", 200),
        ([], "", 200),
        ([], "?scope=", 403),
        (["jobs:run"], "?scope=jobs:run", 200),
        (["jobs:*"], "?scope=jobs:run&scope=jobs:read", 200),
        (["jobs:*"], "?scope=jobs:run%20jobs:read", 200),
        (["jobs:*"], "?scope=jobs:run+jobs:read", 200),
        (["jobs:run"], "?scope=jobs:run%20jobs:read", 403),
        (["jobs:run"], "?scope=jobs:run&scope=jobs:read", 403),
        (["jobs:run"], "?scope=jobs:*", 403),
        (["jobs:run"], "?x=1&scope=people:read", 403),
        ([], "?scope=jobs:run", 403),
        (None, "?scope=nonsense", 403),
        (None, "?scope=Jobs:run", 403),
        (["*:*"], "?scope=a:b:c", 403),
        (None, "?scope=%ff:a", 403),
        (None, "?scope=" + "+".join(f"a:b{number}" for number in range(64)), 200),
        (None, "?scope=" + "+".join(f"a:b{number}" for number in range(65)), 403),
        (None, "?" + "&".join(f"scope=a:b{number}" for number in range(65)), 403),
        (None, "?audience=a&audience=b", 403),
    ],
)
def test_a_gateway_demands_scopes(server: Server, scopes: list[str] | None, query: str, status: int) -> None:
    value, _ = server.create_token(scopes=scopes)
    for path in ("/verify", "/verify/v3/jobs"):
        if "audience" in query and path != "/verify":
            continue
        reply = verify(server, value, query, path=path)
        assert (reply.status, reply.body, reply.headers["content-length"]) == (status, b"", "0")


def test_a_403_is_the_one_of_rfc_6750_and_names_nobody(server: Server) -> None:
    value, _ = server.create_token(scopes=["jobs:run"])
    reply = verify(server, value, "?scope=jobs:run+people:read")
    challenge = 'Bearer realm="gatepass", error="insufficient_scope"'
    assert reply.headers["www-authenticate"] == f'{challenge}, scope="jobs:run people:read"'
    assert not [name for name in reply.headers if name.lower().startswith("x-gatepass")]
    assert verify(server, value, '?scope="><x').headers["www-authenticate"] == challenge


def test_an_unusable_token_is_401_whatever_is_demanded(server: Server) -> None:
    for query in ("?scope=jobs:run", "?scope=nonsense", "?audience=orders"):
        assert verify(server, "nonsense", query).status == 401
        assert server.request("GET", f"/verify{query}").status == 401


@pytest.mark.parametrize(("scopes", "told"), [(None, "*"), ([], ""), (["jobs:run", "*:read"], "jobs:run *:read")])
def test_the_gateway_hears_the_scopes(server: Server, scopes: list[str] | None, told: str) -> None:
    value, _ = server.create_token(scopes=scopes)
    assert verify(server, value).headers["x-gatepass-scopes"] == told


@pytest.mark.parametrize(
    ("query", "path", "status"),
    [
        ("?audience=orders", "/verify", 200),
        ("?audience=billing", "/verify", 401),
        ("?audience=", "/verify", 401),
        ("", "/verify", 401),
        ("?audience=orders&audience=billing", "/verify", 403),
        # Envoy appends the path and query of the client: it must not choose.
        ("?audience=orders", "/verify/", 401),
        ("?audience=orders", "/verify/v3/jobs", 401),
    ],
)
def test_a_token_for_one_service_is_refused_by_the_others(server: Server, query: str, path: str, status: int) -> None:
    value, _ = server.create_token(audience=["orders"])
    assert verify(server, value, query, path=path).status == status


def test_a_token_for_any_service_works_with_one_that_says_its_name(server: Server) -> None:
    value, _ = server.create_token()
    assert verify(server, value, "?audience=orders").status == 200


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory):
    from support.server import make_installation

    data = tmp_path_factory.mktemp("proxied") / "data"
    make_installation(data)
    with Server(data, env=PROXY) as started:
        yield started


@pytest.mark.parametrize(
    ("client", "status"),
    [
        ("10.1.2.3", 200),
        ("::ffff:10.1.2.3", 200),
        ("2001:db8::5", 200),
        ("10.1.2.3, 127.0.0.1", 200),
        ("11.0.0.1", 401),
        ("2001:db9::5", 401),
        ("10.1.2.3, 11.0.0.1", 401),
        ("10.1.2.3, unknown", 401),
        (None, 401),
    ],
)
def test_a_token_works_from_its_networks_alone_at_both_doors(proxied: Server, client: str | None, status: int) -> None:
    value, _ = proxied.create_token(allowedNetworks=["10.0.0.0/8", "2001:db8::/32"])
    headers = {} if client is None else {"X-Forwarded-For": client}
    assert verify(proxied, value, client=client).status == status
    reply = proxied.request("GET", CURRENT, bearer=value, headers=headers)
    assert reply.status == status
    if status == 401:
        assert reply.error == "MissingPersonException"


def test_what_a_stranger_forwards_does_not_move_him(server: Server) -> None:
    elsewhere, _ = server.create_token(allowedNetworks=["10.0.0.0/8"])
    here, _ = server.create_token(allowedNetworks=["127.0.0.1"])
    assert verify(server, elsewhere, client="10.1.2.3").status == 401
    assert verify(server, here, client="10.1.2.3").status == 200


def test_our_own_api_takes_only_tokens_that_are_meant_for_it(server: Server) -> None:
    for audience, status in ((["orders"], 401), (["orders", "gatepass"], 200), (None, 200)):
        value, _ = server.create_token(audience=audience)
        assert server.request("GET", CURRENT, bearer=value).status == status
        assert server.request("GET", f"{CURRENT}?audience=orders", bearer=value).status == status


ROUTES = [
    ("GET", OWN, None, "gatepass.tokens:read"),
    ("GET", "/v4/people", None, "gatepass.people:read"),
    ("POST", "/v4/people", {"email": "new@example.com"}, "gatepass.people:write"),
    ("GET", "/v4/settings", None, "gatepass.settings:read"),
    ("PATCH", "/v4/settings", {}, "gatepass.settings:write"),
    ("GET", "/v4/auditEvents", None, "gatepass.events:read"),
    ("GET", OWN + "/{other}", None, "gatepass.tokens:read"),
    ("DELETE", OWN + "/{other}", None, "gatepass.tokens:write"),
]


@pytest.mark.parametrize(("method", "path", "body", "scope"), ROUTES)
def test_our_own_api_needs_the_scope_and_names_it(
    own_server: Server, method: str, path: str, body: object, scope: str
) -> None:
    _, other = own_server.create_token()
    target = path.replace("{other}", other["tokenId"])
    narrow, _ = own_server.create_token(scopes=["jobs:*"])
    refused = own_server.request(method, target, body, bearer=narrow)
    assert (refused.status, refused.error) == (403, "AccessControlException")
    assert scope in refused.details
    enough, _ = own_server.create_token(scopes=[scope])
    assert own_server.request(method, target, body, bearer=enough).status in {200, 201, 204}


def test_a_token_without_scopes_still_knows_itself_renews_and_ends_itself(server: Server) -> None:
    value, info = server.create_token(scopes=[])
    assert server.request("GET", CURRENT, bearer=value).status == 200
    assert server.request("GET", f"{OWN}/{info['tokenId']}", bearer=value).status == 200
    child = server.request("POST", OWN, {"lifetimeSeconds": 60}, bearer=value)
    assert (child.status, child.json["tokenInfo"]["scopes"]) == (201, [])
    wider = server.request("POST", OWN, {"lifetimeSeconds": 60, "scopes": ["jobs:run"]}, bearer=value)
    assert (wider.status, wider.error) == (403, "AccessControlException")
    assert "scopes: " in wider.details.lower()
    assert server.request("DELETE", f"{OWN}/{info['tokenId']}", bearer=value).status == 204
    assert verify(server, value).status == 401


def test_a_refused_request_is_no_use_and_its_reason_is_in_the_log(own_server: Server) -> None:
    reasons = {
        "network": own_server.create_token(allowedNetworks=["10.0.0.0/8"]),
        "audience": own_server.create_token(audience=["orders"]),
        "scope": own_server.create_token(scopes=[]),
    }
    for value, _ in reasons.values():
        verify(own_server, value, "?scope=jobs:run")
    own_server.stop()
    lines = [json.loads(line) for line in own_server.log.read_text().splitlines() if line.startswith("{")]
    told = {(line.get("refusal"), line.get("token_id")) for line in lines}
    assert {(reason, info["tokenId"]) for reason, (_, info) in reasons.items()} <= told
    own_server.start()
    for _, info in reasons.values():
        assert own_server.admin("GET", f"{OWN}/{info['tokenId']}").json["lastUsed"] is None
