"""The claim matrix: an answer, a token or a logout message that is wrong in one thing is refused for that thing."""

import ast
from pathlib import Path

import pytest

from gatepass.identity import oidc, signed
from gatepass.model.identity import Ended, Finished, Refusal, Refused
from gatepass.testing.fakes import START
from identity.conftest import attempt
from support.openid import ALICE, encode, jwk_of, key_for, make_token

NOW = int(START.timestamp())
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
RS, OTHER, SHORT = key_for("RS256"), key_for("RS256", "other"), key_for("SHORT")

OTHER_ISSUER, OTHER_AUDIENCE, OTHER_PARTY = (
    "of another issuer",
    "for another audience",
    "another client is the authorised party",
)
NO_TIME, OVER, FUTURE = "without a time", "over", "from the future"
NO_NUMBER, OUT_OF_BOUNDS = "a time is no number", "a time is out of bounds"
OTHER_SIGN_IN, OTHER_ACCESS, KIND = "for another sign-in", "for another access token", "another kind of token"
NO_SUBJECT, SOMEBODY_ELSE = "without a subject", "the provider told of somebody else"
ALGORITHM = "signed with an algorithm that is not allowed"
NO_KEY, WRONG, NO_TOKEN = (
    "signed with a key that the issuer does not publish",
    "the signature is wrong",
    "not a signed token",
)
NOTHING_SAID, NOT_UNDERSTOOD = "the token says nothing", "the token says something of itself that is not understood"
NOT_ASKED, OTHER_ANSWER = "an answer to something else", "an answer of another issuer"
NO_CODE, REFUSED_THERE, UNKNOWN_CODE = (
    "an answer without a code",
    "the provider refused",
    "the provider does not know the code",
)
TOO_MANY = "too many groups for a token; tell the provider to send fewer"

CLAIMS = {
    "issuer of somebody else": ({"iss": "https://evil.example"}, OTHER_ISSUER),
    "issuer with a slash more": ({"iss": "{issuer}/"}, OTHER_ISSUER),
    "no issuer": ({"iss": None}, OTHER_ISSUER),
    "issuer among others": ({"iss": ["{issuer}"]}, OTHER_ISSUER),
    "audience of somebody else": ({"aud": "wiki"}, OTHER_AUDIENCE),
    "audience that begins alike": ({"aud": "gatepass2"}, OTHER_AUDIENCE),
    "no audience": ({"aud": None}, OTHER_AUDIENCE),
    "no audience at all": ({"aud": []}, OTHER_AUDIENCE),
    "audience that is no text": ({"aud": ["gatepass", 1]}, OTHER_AUDIENCE),
    "audience in an object": ({"aud": {"gatepass": True}}, OTHER_AUDIENCE),
    "several audiences and no party": ({"aud": ["gatepass", "wiki"]}, OTHER_PARTY),
    "several audiences and another party": ({"aud": ["gatepass", "wiki"], "azp": "wiki"}, OTHER_PARTY),
    "one audience and another party": ({"azp": "wiki"}, OTHER_PARTY),
    "over a minute ago": ({"exp": NOW - 60}, OVER),
    "no end": ({"exp": None}, NO_TIME),
    "no beginning": ({"iat": None}, NO_TIME),
    "end that is a text": ({"exp": str(NOW + 300)}, NO_NUMBER),
    "end that is true": ({"exp": True}, NO_NUMBER),
    "end beyond all time": ({"exp": 10**300}, OUT_OF_BOUNDS),
    "end before all time": ({"exp": -1}, OUT_OF_BOUNDS),
    "made in the future": ({"iat": NOW + 61}, FUTURE),
    "not yet": ({"nbf": NOW + 61}, FUTURE),
    "nonce of another sign-in": ({"nonce": "x" * 43}, OTHER_SIGN_IN),
    "no nonce": ({"nonce": None}, OTHER_SIGN_IN),
    "nonce that is no text": ({"nonce": ["x"]}, OTHER_SIGN_IN),
    "hash of another access token": ({"at_hash": encode(b"x" * 16)}, OTHER_ACCESS),
    "logout token": ({"events": {LOGOUT: {}}}, KIND),
    "endless claims": ({"padding": "x" * 40_000}, NO_TOKEN),
    "no subject": ({"sub": None}, NO_SUBJECT),
    "empty subject": ({"sub": ""}, NO_SUBJECT),
    "subject that is a number": ({"sub": 7}, NO_SUBJECT),
    "subject with a line end": ({"sub": "alice\n"}, NO_SUBJECT),
    "endless subject": ({"sub": "a" * 256}, NO_SUBJECT),
    "more groups than fit": ({"groups": None, "_claim_names": {"groups": "src1"}}, TOO_MANY),
}
"""What an id token says beside the truth, and why it is refused."""

FORMS = {
    "no signature": ({"algorithm": "none"}, ALGORITHM),
    "no signature, in capitals": ({"algorithm": "none", "header": {"alg": "NONE"}}, ALGORITHM),
    "no algorithm": ({"header": {"alg": None}}, ALGORITHM),
    "algorithm that is a list": ({"header": {"alg": ["RS256"]}}, ALGORITHM),
    "HMAC with the public key": ({"algorithm": "HS256", "key": RS}, ALGORITHM),
    "algorithm that is not ours": ({"algorithm": "RS512"}, ALGORITHM),
    "signed with PS256, said to be RS256": ({"algorithm": "PS256", "header": {"alg": "RS256"}}, WRONG),
    "signed by somebody else": ({"key": OTHER}, WRONG),
    "signed by somebody else, whose key it names": ({"key": OTHER, "header": {"jwk": jwk_of(OTHER)}}, WRONG),
    "key that is not known": ({"header": {"kid": "k9"}}, NO_KEY),
    "key that is no text": ({"header": {"kid": 7}}, "the id of the key is no text"),
    "no id and several keys": (
        {"header": {"kid": None}, "keys": [jwk_of(RS, kid="a"), jwk_of(OTHER, kid="b")]},
        NO_KEY,
    ),
    "two keys of that id": ({"keys": [jwk_of(RS, kid="k1"), jwk_of(OTHER, kid="k1")]}, NO_KEY),
    "key for encryption": ({"keys": [jwk_of(RS, kid="k1", use="enc")]}, NO_KEY),
    "key for another algorithm": ({"keys": [jwk_of(RS, kid="k1", alg="PS256")]}, NO_KEY),
    "key of another type": ({"keys": [jwk_of(key_for("ES256"), kid="k1")]}, NO_KEY),
    "shared key": ({"keys": [{"kty": "oct", "k": encode(b"x" * 32), "kid": "k1"}]}, NO_KEY),
    "key that is short": ({"key": SHORT, "keys": [jwk_of(SHORT, kid="k1")]}, NO_KEY),
    "logout token by its type": ({"header": {"typ": "logout+jwt"}}, KIND),
    "access token by its type": ({"header": {"typ": "at+jwt"}}, KIND),
    "something that must be understood": ({"header": {"crit": ["x"], "x": 1}}, NOT_UNDERSTOOD),
    "payload that is not encoded": ({"header": {"b64": False}}, NOT_UNDERSTOOD),
    "packed payload": ({"header": {"zip": "DEF"}}, NOT_UNDERSTOOD),
    "not three parts": ({"tokens": {"id_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.e30"}}, WRONG),
    "no token": ({"tokens": {"id_token": "x"}}, NO_TOKEN),
    "header that is a list": ({"tokens": {"id_token": "W10.e30.x"}}, NO_TOKEN),
    "endless token": ({"tokens": {"id_token": "x" * 40_000}}, NO_TOKEN),
    "claims that are a list": ({"tokens": {"id_token": make_token([1], key=RS, kid="k1")}}, NOTHING_SAID),
    "access token swapped": ({"tokens": {"access_token": "another"}}, OTHER_ACCESS),
    "no access token to hold the hash against": ({"tokens": {"access_token": None}}, OTHER_ACCESS),
    "told of somebody else": ({"person": {"sub": "alice"}, "userinfo": {**ALICE, "sub": "bob"}}, SOMEBODY_ELSE),
    "told of nobody": ({"person": {"sub": "alice"}, "userinfo": {"email": "bob@example.com"}}, SOMEBODY_ELSE),
    "code that is not known": ({"answer": {"code": "guessed"}}, UNKNOWN_CODE),
    "no code": ({"answer": {"code": None}}, NO_CODE),
    "endless code": ({"answer": {"code": "x" * 5000}}, NO_CODE),
    "no state": ({"answer": {"state": None}}, NOT_ASKED),
    "empty state": ({"answer": {"state": ""}}, NOT_ASKED),
    "answer of another issuer": ({"answer": {"iss": "https://evil.example"}}, OTHER_ANSWER),
    "answer that names no issuer": ({"answer": {"iss": None}}, OTHER_ANSWER),
    "another issuer where none need be named": (
        {
            "answer": {"iss": "https://evil.example"},
            "metadata": {"authorization_response_iss_parameter_supported": None},
        },
        OTHER_ANSWER,
    ),
    "refused there": ({"answer": {"error": "access_denied"}}, REFUSED_THERE),
}
"""What else the provider, or somebody who plays it, does wrong."""

LOGOUTS = {
    "issuer of somebody else": ({"iss": "https://evil.example"}, {}, OTHER_ISSUER),
    "audience of somebody else": ({"aud": "wiki"}, {}, OTHER_AUDIENCE),
    "over": ({"exp": NOW - 60}, {}, OVER),
    "no end": ({"exp": None}, {}, NO_TIME),
    "made in the future": ({"iat": NOW + 61}, {}, FUTURE),
    "no events": ({"events": None}, {}, "no logout token"),
    "other events": ({"events": {"x": {}}}, {}, "no logout token"),
    "events that are a list": ({"events": [LOGOUT]}, {}, "no logout token"),
    "event that is no object": ({"events": {LOGOUT: True}}, {}, "no logout token"),
    "id token made into one": ({"nonce": "x"}, {}, "an id token made into a logout token"),
    "empty nonce": ({"nonce": ""}, {}, "an id token made into a logout token"),
    "no id": ({"jti": None}, {}, "a logout token without an id"),
    "id that is no text": ({"jti": 7}, {}, "a logout token without an id"),
    "about nobody": ({"sub": None, "sid": None}, {}, "a logout token about nobody"),
    "subject that is no text": ({"sub": 7}, {}, NO_SUBJECT),
    "no signature": ({}, {"algorithm": "none"}, ALGORITHM),
    "signed by somebody else": ({}, {"key": OTHER}, WRONG),
    "access token by its type": ({}, {"header": {"typ": "at+jwt"}}, "no logout token"),
}

ELSEWHERE = {
    "they proved who they are too long ago": "tests/identity/test_oidc.py",
    "made too long ago": "tests/identity/test_trusted_proxy.py",
}
"""Reasons that a provider with other options has."""


def behave(op, changes) -> None:
    for name, value in changes.items():
        setattr(op, name, value)


@pytest.mark.parametrize("name", CLAIMS)
def test_an_id_token_that_says_one_thing_wrong_is_refused(provider, op, name: str) -> None:
    claims, detail = CLAIMS[name]
    op.userinfo = None
    op.metadata = {"userinfo_endpoint": None}
    op.claims = {
        key: value.replace("{issuer}", op.issuer)
        if isinstance(value, str)
        else [op.issuer]
        if value == ["{issuer}"]
        else value
        for key, value in claims.items()
    }
    assert attempt(provider, op) == Refused(Refusal.INVALID, detail=detail)


@pytest.mark.parametrize("name", FORMS)
def test_whatever_else_is_wrong_is_refused(provider, op, name: str) -> None:
    changes, detail = FORMS[name]
    behave(op, changes)
    assert attempt(provider, op) == Refused(Refusal.INVALID, detail=detail)


@pytest.mark.parametrize("name", LOGOUTS)
def test_a_logout_token_that_is_wrong_in_one_thing_is_refused(provider, op, name: str) -> None:
    claims, changes, detail = LOGOUTS[name]
    behave(op, changes)
    assert provider.read_logout(op.logout_token(**claims)) == Refused(Refusal.INVALID, detail=detail)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 59},
        {"iat": NOW + 60},
        {"nbf": NOW + 60},
        {"exp": NOW + 300.5},
        {"aud": ["gatepass"]},
        {"azp": "gatepass"},
        {"aud": ["gatepass", "wiki"], "azp": "gatepass"},
        {"at_hash": None},
        {"sub": "a" * 255},
    ],
    ids=repr,
)
def test_what_is_within_the_rules_is_taken(provider, op, claims) -> None:
    op.claims = claims
    assert isinstance(attempt(provider, op), Finished)


@pytest.mark.parametrize("algorithm", signed.ALGORITHMS)
@pytest.mark.parametrize("kid", ["k1", None])
def test_each_algorithm_of_ours_is_checked(provider, op, algorithm: str, kid: str | None) -> None:
    behave(op, {"algorithm": algorithm, "header": {"kid": kid}})
    assert isinstance(attempt(provider, op), Finished)
    good = op.id_token({"nonce": "x"}, "")
    head, body, signature = good.split(".")
    with pytest.raises(signed.NotProven, match=WRONG):
        signed.read_signed(f"{head}.{body}.{'AAAA' + signature[4:]}", provider._keys)


def test_a_logout_token_is_read(provider, op) -> None:
    found = provider.read_logout(op.logout_token())
    assert isinstance(found, Ended)
    assert (found.subject, found.reference) == (f"alice {op.issuer}", "sid-1")
    assert found.once.key == "logout logout-1"
    assert (found.once.until - START).total_seconds() == 180


def test_a_logout_token_by_its_proper_type_is_read(provider, op) -> None:
    op.header = {"typ": "logout+jwt"}
    assert isinstance(provider.read_logout(op.logout_token(sid=None)), Ended)


@pytest.mark.parametrize("text", ["", "x", "\ud800", "x.y.z"])
def test_what_is_no_logout_token_is_refused(provider, text: str) -> None:
    assert isinstance(provider.read_logout(text), Refused)


def reasons() -> set[str]:
    """Return every reason that the code can give."""
    folder = Path(oidc.__file__).parent
    found = set()
    for path in [*folder.glob("*.py"), folder.parent / "signed.py", *folder.parent.glob("trusted_proxy/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NotProven":
                found.add(ast.literal_eval(node.args[0]))
    return found


def test_every_reason_has_a_case_of_its_own() -> None:
    tried = {row[-1] for table in (CLAIMS, FORMS, LOGOUTS) for row in table.values()}
    headers = {"the proxy said nothing", "the header is there twice, or in another spelling"}  # test_trusted_proxy.py
    assert reasons() - tried == headers | ELSEWHERE.keys()
