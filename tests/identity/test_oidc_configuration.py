"""OpenID Connect as it is configured: what cannot work is named, what can be tried is, and where signing out leads."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from gatepass.errors import BadConfiguration
from support.openid import CLIENT_ID


def test_it_is_tried_as_far_as_that_goes_without_a_person(provider, op) -> None:
    assert [(each.words, each.trouble) for each in provider.steps()] == [
        (f"discovery document of {op.issuer}", ""),
        ("keys", ""),
        ("client id and secret", ""),
    ]
    assert provider.look_up("alice").detail


@pytest.mark.parametrize(
    ("changes", "steps", "trouble"),
    [
        ({"down": frozenset({"/.well-known/openid-configuration"})}, 1, "answered 500"),
        ({"metadata": {"issuer": "https://idp.example"}}, 1, "is of another issuer"),
        ({"keys": []}, 2, "publishes no key"),
        ({"token_status": 401, "token_body": b'{"error": "invalid_client"}'}, 3, "does not take this client"),
    ],
)
def test_the_first_trouble_is_told_with_the_step_that_had_it(provider, op, changes, steps: int, trouble: str) -> None:
    for key, value in changes.items():
        setattr(op, key, value)
    *before, last = provider.steps()
    assert len(before) == steps - 1
    assert not any(each.trouble for each in before)
    assert trouble in last.trouble


def test_signing_out_there_is_offered_where_the_site_says_so(build, op) -> None:
    assert build().sign_out_url("https://tokens.example.com/sign-in") is None
    url = build(sign_out_there=True).sign_out_url("https://tokens.example.com/sign-in")
    assert url is not None
    assert url.startswith(f"{op.issuer}/leave?tenant=1&")
    asked = dict(parse_qsl(urlsplit(url).query))
    assert (asked["client_id"], asked["post_logout_redirect_uri"]) == (CLIENT_ID, "https://tokens.example.com/sign-in")
    op.metadata = {"end_session_endpoint": None}
    assert build(sign_out_there=True).sign_out_url("https://tokens.example.com/sign-in") is None


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"issuer": ""}, "issuer"),
        ({"issuer": "http://idp.example"}, "issuer"),
        ({"issuer": "https://idp.example?x=1"}, "issuer"),
        ({"issuer": "https://idp.example#x"}, "issuer"),
        ({"issuer": "https://me:secret@idp.example"}, "issuer"),
        ({"issuer": "https://idp.example:port"}, "issuer"),
        ({"issuer": "https://"}, "issuer"),
        ({"issuer": "http://127.0.0.1.evil.example"}, "issuer"),
        ({"client_id": ""}, "client_id"),
        ({"client_auth": "jwt"}, "client_auth"),
        ({"scopes": ("profile",)}, "scopes"),
        ({"algorithms": ()}, "algorithms"),
        ({"algorithms": ("HS256",)}, "algorithms"),
        ({"algorithms": ("RS256", "none")}, "algorithms"),
        ({"max_age_seconds": -1}, "max_age_seconds"),
        ({"subject_claim": ""}, "subject_claim"),
        ({"subject_claim": "email"}, "subject_claim"),
        ({"subject_claim": "preferred_username"}, "subject_claim"),
        ({"tls_ca": "/nowhere.pem"}, "tls_ca"),
        ({"proxy": "nonsense"}, "proxy"),
    ],
)
def test_a_configuration_that_cannot_work_names_the_key(build, options, key: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        build(**options)
    assert caught.value.field == f"providers.corp.{key}"


@pytest.mark.parametrize(
    "issuer", ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "https://idp.example/x/"]
)
def test_http_is_taken_on_this_very_machine_alone(build, issuer: str) -> None:
    assert build(issuer=issuer)
