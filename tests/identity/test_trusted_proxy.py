"""Sign-in by a reverse proxy: only a signed word counts, or a plain one of the proxy alone, in one spelling, once."""

import pytest

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.identity import build_provider
from gatepass.identity.trusted_proxy import Options
from gatepass.model.identity import Carrier, Identity, Refusal, Refused
from gatepass.testing.fakes import START
from support.openid import key_for

HEADER = "X-Proxy-Assertion"
NAME = HEADER.lower()
NOW = int(START.timestamp())
TCP, SOCKET = Carrier(), Carrier(is_socket=True)
PROXY = "proxy.example.com"
FROM_ELSEWHERE = "a plain name that did not come from the proxy"
TWICE = "the header is there twice, or in another spelling"


@pytest.fixture
def proxy(op, clock):
    made = []

    def built(**options):
        given = {
            "header": HEADER,
            "issuer": op.issuer,
            "audience": "/projects/1",
            "jwks": f"{op.issuer}/jwks",
            **options,
        }
        made.append(build_provider("trusted_proxy", Options(**given), provider_id="gate", clock=clock))
        return made[-1]

    yield built
    for each in made:
        each.close()


def assertion(op, **changes):
    told = {
        "iss": op.issuer,
        "aud": "/projects/1",
        "sub": "accounts:7",
        "email": "alice@example.com",
        "iat": NOW,
        "exp": NOW + 600,
        **changes,
    }
    return op.sign({name: value for name, value in told.items() if value is not None})


def read(provider, *headers: tuple[str, str], carrier: Carrier = TCP):
    return provider.read_headers([("host", "tokens.example.com"), *headers], carrier)


def test_whom_the_proxy_vouches_for_is_told(proxy, op) -> None:
    text = assertion(op, groups=["staff"], name="Alice")
    assert read(proxy(), (NAME, text)) == Identity(
        provider="gate",
        subject=f"accounts:7 {op.issuer}",
        login="alice@example.com",
        name="Alice",
        email="alice@example.com",
        groups=frozenset({"staff"}),
    )


@pytest.mark.parametrize(
    ("options", "claims", "verified"),
    [
        ({}, {}, False),
        ({}, {"email_verified": True}, True),
        ({}, {"email_verified": "true"}, False),
        ({"emails_are_verified": True}, {}, True),
    ],
)
def test_addresses_are_vouched_for_by_the_signer_or_by_the_configuration(proxy, op, options, claims, verified) -> None:
    assert read(proxy(**options), (NAME, assertion(op, **claims))).email_verified is verified


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"iss": "https://evil.example"}, "of another issuer"),
        ({"aud": "/projects/2"}, "for another audience"),
        ({"aud": None}, "for another audience"),
        ({"exp": NOW - 60}, "over"),
        ({"exp": None}, "without a time"),
        ({"iat": NOW + 61}, "from the future"),
        ({"sub": None}, "without a subject"),
        ({"events": {}}, "another kind of token"),
    ],
    ids=repr,
)
def test_an_assertion_that_says_one_thing_wrong_is_refused(proxy, op, changes, detail: str) -> None:
    assert read(proxy(), (NAME, assertion(op, **changes))) == Refused(Refusal.INVALID, detail=detail)


def test_the_audience_may_be_one_of_several(proxy, op) -> None:
    assert isinstance(read(proxy(), (NAME, assertion(op, aud=["x", "/projects/1"], azp="client"))), Identity)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512"])
def test_an_assertion_without_a_signature_of_ours_is_refused(proxy, op, algorithm: str) -> None:
    op.algorithm = algorithm
    assert isinstance(read(proxy(), (NAME, assertion(op))), Refused)


def test_an_assertion_of_another_signer_is_refused(proxy, op) -> None:
    op.key = key_for("RS256", "other")
    assert read(proxy(), (NAME, assertion(op))).detail == "the signature is wrong"


def test_how_old_an_assertion_may_be_counts_where_the_site_says_so(proxy, op) -> None:
    provider = proxy(max_age_seconds=60)
    assert isinstance(read(provider, (NAME, assertion(op, iat=NOW - 120))), Identity)
    assert read(provider, (NAME, assertion(op, iat=NOW - 121))).detail == "made too long ago"


def test_keys_out_of_reach_are_an_outage(proxy, op) -> None:
    op.down = frozenset({"/jwks"})
    with pytest.raises(Unavailable):
        read(proxy(), (NAME, assertion(op)))


SPELLINGS = ["x_proxy_assertion", "x-proxy_assertion", "x.proxy.assertion", "x-proxy-assertion ", "xproxyassertion"]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("trust", ["assertion", "name"])
def test_another_spelling_of_the_header_is_refused_alone_and_beside_it(proxy, op, spelling: str, trust: str) -> None:
    provider = proxy(trust=trust)
    good = assertion(op) if trust == "assertion" else "alice"
    assert isinstance(read(provider, (NAME, good), carrier=SOCKET), Identity)
    for headers in ([(spelling, good)], [(NAME, good), (spelling, "x")], [(spelling, "x"), (NAME, good)]):
        assert read(provider, *headers, carrier=SOCKET) == Refused(Refusal.INVALID, detail=TWICE)


@pytest.mark.parametrize("trust", ["assertion", "name"])
def test_a_header_that_is_missing_or_there_twice_is_refused(proxy, op, trust: str) -> None:
    provider = proxy(trust=trust)
    good = assertion(op) if trust == "assertion" else "alice"
    assert read(provider, carrier=SOCKET).detail == "the proxy said nothing"
    assert read(provider, (NAME, good), (NAME, good), carrier=SOCKET).detail == TWICE


def test_a_plain_name_counts_on_a_unix_socket_alone(proxy) -> None:
    provider = proxy(trust="name")
    alice = Identity(provider="gate", subject="alice", login="alice")
    assert read(provider, (NAME, "alice"), carrier=SOCKET) == alice
    for carrier in (TCP, Carrier(certified=frozenset({PROXY, ""}))):
        assert read(provider, (NAME, "alice"), carrier=carrier).detail == FROM_ELSEWHERE


def test_a_plain_name_counts_from_the_proxy_that_its_certificate_names(proxy) -> None:
    provider = proxy(trust="name", certificate=PROXY)
    alice = Identity(provider="gate", subject="alice", login="alice")
    assert read(provider, (NAME, "alice"), carrier=Carrier(certified=frozenset({"other", PROXY}))) == alice
    assert read(provider, (NAME, "alice"), carrier=SOCKET) == alice
    for names in ([], ["other.example.com"], ["PROXY.example.com"], ["x" + PROXY], [""]):
        assert read(provider, (NAME, "alice"), carrier=Carrier(certified=frozenset(names))).detail == FROM_ELSEWHERE


@pytest.mark.parametrize(
    ("certificate", "ways", "starts"),
    [
        ("", {"is_socket": True, "asks_certificates": False}, True),
        ("", {"is_socket": False, "asks_certificates": True}, False),
        (PROXY, {"is_socket": False, "asks_certificates": False}, False),
        (PROXY, {"is_socket": False, "asks_certificates": True}, True),
    ],
)
def test_a_plain_name_needs_a_way_that_only_the_proxy_has(proxy, certificate: str, ways: dict, *, starts: bool) -> None:
    provider = proxy(trust="name", certificate=certificate)
    if starts:
        provider.require_carrier(**ways)
        return
    with pytest.raises(BadConfiguration, match=r"^providers\.gate\.trust"):
        provider.require_carrier(**ways)


def test_a_signed_word_needs_no_way_of_its_own(proxy) -> None:
    proxy().require_carrier(is_socket=False, asks_certificates=False)


@pytest.mark.parametrize("value", ["", "a, b", "a,b", "a b", "älice", "a\tb", "x" * 256])
def test_what_is_no_plain_name_is_refused(proxy, value: str) -> None:
    assert read(proxy(trust="name"), (NAME, value), carrier=SOCKET).detail == "the header holds no name"


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"header": ""}, "header"),
        ({"header": "Authorization"}, "header"),
        ({"header": "Cookie"}, "header"),
        ({"header": "X-Forwarded-For"}, "header"),
        ({"header": "Sec-Fetch-Site"}, "header"),
        ({"header": "X_Name"}, "header"),
        ({"header": "X-Name: x"}, "header"),
        ({"trust": "everybody"}, "trust"),
        ({"certificate": PROXY}, "certificate"),
        ({"issuer": ""}, "issuer"),
        ({"audience": ""}, "audience"),
        ({"jwks": ""}, "jwks"),
        ({"jwks": "http://idp.example/keys"}, "jwks"),
        ({"algorithms": ("HS256",)}, "algorithms"),
    ],
)
def test_a_configuration_that_cannot_work_names_the_key(proxy, options, key: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        proxy(**options)
    assert caught.value.field == f"providers.gate.{key}"


def test_what_the_directory_calls_people_becomes_the_key_of_a_sign_in(proxy, op) -> None:
    gate = proxy()
    assert gate.subject_for("alice") == f"alice {op.issuer}"
    assert gate.external_id_of(f"alice {op.issuer}") == "alice"
    assert gate.external_id_of("alice") is None
