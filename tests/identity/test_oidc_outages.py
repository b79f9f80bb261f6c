"""An OpenID provider that is out of reach, talks nonsense or changes its keys: never a refusal, never a way in."""

import json
import threading

import pytest

from gatepass.errors import Unavailable
from gatepass.model.identity import Finished, Refused
from identity.conftest import CALLBACK, attempt, paths
from support.openid import CLIENT_SECRET, jwk_of, key_for

KEYS = json.dumps({"keys": [jwk_of(key_for("RS256"), kid="k1")]}).encode()
OUTAGES = {
    "discovery fails": {"down": frozenset({"/.well-known/openid-configuration"})},
    "discovery of another issuer": {"metadata": {"issuer": "https://evil.example"}},
    "discovery without an issuer": {"metadata": {"issuer": None}},
    "discovery without keys": {"metadata": {"jwks_uri": None}},
    "discovery with a plain token endpoint": {"metadata": {"token_endpoint": "http://idp.example/token"}},
    "discovery with an address in a file": {"metadata": {"jwks_uri": "file:///etc/passwd"}},
    "discovery without S256": {"metadata": {"code_challenge_methods_supported": ["plain"]}},
    "discovery that is a list": {"bodies": {"/.well-known/openid-configuration": (200, {}, b"[]")}},
    "discovery that is no JSON": {"bodies": {"/.well-known/openid-configuration": (200, {}, b"<html>")}},
    "discovery that leads elsewhere": {
        "bodies": {"/.well-known/openid-configuration": (302, {"location": "/jwks"}, b"{}")}
    },
    "keys fail": {"down": frozenset({"/jwks"})},
    "keys that are none": {"bodies": {"/jwks": (200, {}, b'{"keys": 7}')}},
    "endless keys": {"bodies": {"/jwks": (200, {}, KEYS + b" " * 600_000)}},
    "keys that lead elsewhere": {"bodies": {"/jwks": (302, {"location": "/keys"}, b"{}"), "/keys": (200, {}, KEYS)}},
    "packed keys": {"bodies": {"/jwks": (200, {"content-encoding": "gzip"}, b"x")}},
    "token endpoint fails": {"token_status": 500},
    "token endpoint is busy": {"token_status": 429},
    "token endpoint leads elsewhere": {"token_status": 307},
    "token endpoint is a page": {"token_body": b"<html>"},
    "token endpoint without an id token": {"tokens": {"id_token": None}},
    "our secret is wrong": {"token_status": 401, "token_body": b'{"error": "invalid_client"}'},
    "our client is unknown": {"token_status": 400, "token_body": b'{"error": "unauthorized_client"}'},
    "token endpoint says later": {"token_status": 400, "token_body": b'{"error": "temporarily_unavailable"}'},
    "error that is no text": {"token_status": 400, "token_body": b'{"error": ["x"]}'},
    "userinfo fails": {"person": {"sub": "alice"}, "userinfo": None},
    "userinfo that is a list": {"person": {"sub": "alice"}, "bodies": {"/userinfo": (200, {}, b"[]")}},
    "provider says later": {"answer": {"error": "temporarily_unavailable"}},
}


@pytest.mark.parametrize("name", OUTAGES)
def test_an_outage_is_never_a_refusal(provider, op, name: str) -> None:
    for key, value in OUTAGES[name].items():
        setattr(op, key, value)
    with pytest.raises(Unavailable):
        attempt(provider, op)


def test_nobody_at_the_address_is_an_outage(build) -> None:
    with pytest.raises(Unavailable, match="out of reach"):
        build(issuer="http://127.0.0.1:9").begin(CALLBACK)


def test_an_outage_is_told_without_what_was_sent(provider, op) -> None:
    op.token_status = 500
    with pytest.raises(Unavailable) as caught:
        attempt(provider, op)
    assert not {"code-", CLIENT_SECRET, "verifier"} & set(str(caught.value).split())


def test_after_an_outage_it_works_again(provider, op, clock) -> None:
    op.down = frozenset({"/.well-known/openid-configuration"})
    for _ in range(3):
        with pytest.raises(Unavailable):
            provider.begin(CALLBACK)
    assert len(op.asked) == 1  # those who came right after did not wait for the same failure
    op.down = frozenset()
    clock.advance(seconds=5)
    assert isinstance(attempt(provider, op), Finished)


def test_discovery_and_keys_are_fetched_once_an_hour(provider, op, clock) -> None:
    for _ in range(3):
        attempt(provider, op)
    assert [paths(op).count(each) for each in ("/.well-known/openid-configuration", "/jwks")] == [1, 1]
    clock.advance(hours=1)
    op.now = clock.now()
    assert isinstance(attempt(provider, op), Finished)
    assert [paths(op).count(each) for each in ("/.well-known/openid-configuration", "/jwks")] == [2, 2]


def test_a_key_that_is_withdrawn_is_not_believed_after_an_hour(provider, op, clock) -> None:
    attempt(provider, op)
    op.keys = [jwk_of(key_for("RS256", "other"), kid="k2")]
    clock.advance(hours=1)
    op.now = clock.now()
    assert attempt(provider, op).detail == "signed with a key that the issuer does not publish"


def test_a_new_key_is_looked_for_at_once_and_then_once_a_minute(provider, op, clock) -> None:
    attempt(provider, op)
    new = key_for("RS256", "other")
    op.key, op.header, op.keys = new, {"kid": "k2"}, [jwk_of(new, kid="k2")]
    assert isinstance(attempt(provider, op), Finished)
    assert paths(op).count("/jwks") == 2
    op.header = {"kid": "guessed"}
    for _ in range(3):
        assert isinstance(attempt(provider, op), Refused)
    assert paths(op).count("/jwks") == 2
    clock.advance(minutes=1)
    assert isinstance(attempt(provider, op), Refused)
    assert paths(op).count("/jwks") == 3


def test_many_threads_fetch_once(provider, op) -> None:
    threads = [threading.Thread(target=provider.begin, args=(CALLBACK,)) for _ in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert paths(op) == ["/.well-known/openid-configuration"]


def test_cookies_of_the_provider_are_not_kept(provider, op) -> None:
    op.bodies = {"/token": (200, {"set-cookie": "of=alice; Path=/"}, b"{}")}
    for _ in range(2):
        with pytest.raises(Unavailable):
            attempt(provider, op)
    assert not [headers for _, headers, _ in op.asked if "cookie" in headers]
