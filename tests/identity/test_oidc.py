"""OpenID Connect against a provider of the tests: the way there and back, and whom it is about."""

import re
from base64 import b64decode
from urllib.parse import parse_qsl, urlsplit

import pytest

from gatepass.model.identity import Finished, Identity, Refusal, Refused, user_name_of
from gatepass.testing.fakes import START
from gatepass.testing.provider_suite import RedirectProviderSuite
from identity.conftest import CALLBACK, attempt, paths
from support.openid import CLIENT_ID, CLIENT_SECRET

NOW = int(START.timestamp())


class TestRedirect(RedirectProviderSuite):
    @pytest.fixture
    def answers(self, op):
        class Answers:
            subject = f"alice {op.issuer}"

            def to(self, begun):
                return op.authorise(begun.url)

        return Answers()


def identify(provider, op) -> Identity:
    finished = attempt(provider, op)
    assert isinstance(finished, Finished), finished
    return finished.identity


def test_the_provider_is_asked_nothing_before_somebody_signs_in(provider, op) -> None:
    assert provider is not None
    assert op.asked == []


def test_the_browser_is_sent_with_everything_that_binds_the_answer(provider, op) -> None:
    begun = provider.begin(CALLBACK)
    assert begun.url.startswith(f"{op.issuer}/authorise?")
    asked = dict(parse_qsl(urlsplit(begun.url).query))
    assert asked["redirect_uri"] == CALLBACK
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert (asked["client_id"], asked["scope"]) == (CLIENT_ID, "openid profile email")
    assert (asked["state"], asked["nonce"]) == (begun.kept["state"], begun.kept["nonce"])
    assert begun.kept["verifier"] not in begun.url
    secrets = [*begun.kept.values(), *provider.begin(CALLBACK).kept.values()]
    assert len(set(secrets)) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", each) for each in secrets)


def test_who_comes_back_is_told_in_full(provider, op) -> None:
    identity = identify(provider, op)
    assert identity == Identity(
        provider="corp",
        subject=f"alice {op.issuer}",
        login="alice@example.com",
        name="Alice Öz",
        email="alice@example.com",
        email_verified=True,
        groups=frozenset({"staff"}),
        reference="sid-1",
    )


def test_the_secret_is_sent_to_the_token_endpoint_alone(provider, op) -> None:
    attempt(provider, op)
    pair = b64decode({path: headers for path, headers, _ in op.asked}["/token"]["authorization"][6:]).decode()
    assert pair == f"{CLIENT_ID}:kept%20~%20secret%2F%2B"
    assert [path for path, headers, _ in op.asked if "authorization" in headers] == ["/token"]
    assert CLIENT_SECRET not in repr(provider.begin(CALLBACK))


def test_the_secret_goes_into_the_form_where_the_provider_takes_nothing_else(build, op) -> None:
    for options, metadata in [
        ({"client_auth": "post"}, None),
        ({}, {"token_endpoint_auth_methods_supported": ["client_secret_post"]}),
    ]:
        op.metadata = metadata or {}
        assert isinstance(attempt(build(**options), op), Finished)
        _, headers, form = op.asked[-2] if op.asked[-1][0] == "/jwks" else op.asked[-1]
        assert (form["client_id"], form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
        assert "authorization" not in headers


def test_a_public_client_has_no_secret(build, op) -> None:
    assert isinstance(attempt(build(client_secret=""), op), Finished)
    form = next(form for path, _, form in op.asked if path == "/token")
    assert form["client_id"] == CLIENT_ID
    assert "client_secret" not in form


def test_a_code_is_worth_nothing_without_the_verifier_of_this_browser(provider, op) -> None:
    mine, theirs = provider.begin(CALLBACK), provider.begin(CALLBACK)
    stolen = op.authorise(theirs.url)
    answer = {**stolen, "state": mine.kept["state"]}
    assert provider.finish(answer, mine.kept, CALLBACK).detail == "the provider does not know the code"


@pytest.mark.parametrize("kept", [{}, {"state": ""}])
def test_an_answer_without_a_state_is_none_to_a_browser_without_one(provider, op, kept) -> None:
    answer = {**op.authorise(provider.begin(CALLBACK).url), "state": ""}
    assert provider.finish(answer, kept, CALLBACK).detail == "an answer to something else"


def test_an_answer_of_one_provider_is_none_for_another(build, op) -> None:
    """Mix-up: both have the browser, and the second is the attacker's."""
    honest, evil = build("corp"), build("evil")
    begun = evil.begin(CALLBACK)
    answer = op.authorise(honest.begin(CALLBACK).url)
    assert evil.finish(answer, begun.kept, CALLBACK).detail == "an answer to something else"
    answer = {**answer, "state": begun.kept["state"], "iss": "https://evil.example"}
    assert evil.finish(answer, begun.kept, CALLBACK).detail == "an answer of another issuer"


def test_an_answer_that_comes_twice_is_known_by_its_key_whatever_the_provider_does(provider, op) -> None:
    op.takes_codes_twice = True
    begun = provider.begin(CALLBACK)
    answer = op.authorise(begun.url)
    first, second = (provider.finish(answer, begun.kept, CALLBACK) for _ in range(2))
    assert first.once == second.once
    assert first.once
    assert all(each.until > START for each in first.once)


def test_a_code_that_was_used_is_refused(provider, op) -> None:
    begun = provider.begin(CALLBACK)
    answer = op.authorise(begun.url)
    assert isinstance(provider.finish(answer, begun.kept, CALLBACK), Finished)
    assert isinstance(provider.finish(answer, begun.kept, CALLBACK), Refused)


@pytest.mark.parametrize("vouched", ["true", 1, None, "yes", [True], False])
def test_an_address_is_vouched_for_by_true_alone(provider, op, vouched: object) -> None:
    op.claims = {"email_verified": vouched}
    assert identify(provider, op).email_verified is False


def test_an_address_of_one_place_is_not_vouched_for_by_another(provider, op) -> None:
    op.claims = {"email": "ceo@example.com", "email_verified": None, "name": None}
    op.userinfo = {"sub": "alice", "email": "alice@example.com", "email_verified": True}
    identity = identify(provider, op)
    assert (identity.email, identity.email_verified) == ("ceo@example.com", False)


def test_what_the_id_token_lacks_is_asked_for(provider, op) -> None:
    op.person = {"sub": "alice"}
    op.userinfo = {"sub": "alice", "email": "a@example.com", "email_verified": True, "groups": ["a", "b"], "name": "A"}
    identity = identify(provider, op)
    assert (identity.email, identity.email_verified, identity.name) == ("a@example.com", True, "A")
    assert identity.groups == {"a", "b"}
    assert {path: headers for path, headers, _ in op.asked}["/userinfo"]["authorization"] == "Bearer access-token-1"


def test_the_id_token_goes_before_what_was_asked_for(provider, op) -> None:
    op.claims = {"groups": None}
    op.userinfo = {"sub": "alice", "name": "Mallory", "groups": ["a"]}
    identity = identify(provider, op)
    assert (identity.name, identity.groups) == ("Alice Öz", {"a"})


def test_nothing_is_asked_for_that_the_id_token_has_or_nobody_wants(build, op) -> None:
    identify(build(), op)
    op.person = {"sub": "alice"}
    identify(build(userinfo=False), op)
    assert "/userinfo" not in paths(op)


@pytest.mark.parametrize(
    ("name", "claims", "groups"),
    [
        ("groups", {"groups": "one"}, {"one"}),
        ("groups", {"groups": ["a", 7, "", "b\n", "c"]}, {"a", "c"}),
        ("groups", {"groups": {"a": 1}}, set()),
        ("realm_access.roles", {"realm_access": {"roles": ["a"]}}, {"a"}),
        ("https://example.com/groups", {"https://example.com/groups": ["a"]}, {"a"}),
        ("a.b", {"a": "text"}, set()),
    ],
)
def test_groups_are_read_where_the_provider_puts_them(build, op, name: str, claims, groups) -> None:
    op.claims = {"groups": None, **claims}
    op.metadata = {"userinfo_endpoint": None}
    assert identify(build(groups_claim=name), op).groups == groups


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({}, "alice@example.com"),
        ({"email_verified": False}, "alice.example.com@corp"),
        ({"email_verified": False, "preferred_username": "Maria@Contoso.com"}, "maria.contoso.com@corp"),
        ({"email": None, "preferred_username": "alice"}, "alice@corp"),
    ],
)
def test_a_name_here_is_an_address_only_if_that_is_vouched_for(provider, op, claims, name: str) -> None:
    op.claims = claims
    op.metadata = {"userinfo_endpoint": None}
    assert user_name_of(identify(provider, op)) == name


def test_names_made_of_subjects_tell_people_of_one_issuer_apart(provider, op) -> None:
    names = set()
    for sub in ("üa", "üb"):
        op.person = {"sub": sub, "email": None}
        op.metadata = {"userinfo_endpoint": None}
        names.add(user_name_of(identify(provider, op)))
    assert len(names) == 2


def test_subjects_never_meet_however_long_they_are(provider, op) -> None:
    subjects = set()
    for sub in ("a" * 250, "a" * 251, "a b", "a"):
        op.claims = {"sub": sub}
        subjects.add(identify(provider, op).subject)
    assert len(subjects) == 4
    assert all(len(each) <= 255 for each in subjects)


def test_how_long_ago_they_typed_their_password_counts_where_the_site_says_so(build, op) -> None:
    provider = build(max_age_seconds=600, prompt="login")
    asked = dict(parse_qsl(urlsplit(provider.begin(CALLBACK).url).query))
    assert (asked["max_age"], asked["prompt"]) == ("600", "login")
    for age, taken in ((0, True), (660, True), (661, False)):
        op.claims = {"auth_time": NOW - age}
        assert isinstance(attempt(provider, op), Finished) is taken
    op.claims = {}
    assert attempt(provider, op) == Refused(Refusal.INVALID, detail="they proved who they are too long ago")


def test_only_the_algorithms_of_the_configuration_count(build, op) -> None:
    op.algorithm = "PS256"
    assert attempt(build(algorithms=("RS256",)), op).detail == "signed with an algorithm that is not allowed"


def test_another_claim_can_be_the_key_and_is_required_then(build, op) -> None:
    entra = build(subject_claim="oid")
    op.claims = {"oid": "0760b6cf"}
    assert identify(entra, op).subject == f"0760b6cf {op.issuer}"
    op.claims = {}
    assert attempt(entra, op) == Refused(Refusal.INVALID, detail="without a subject")


def test_a_logout_names_somebody_by_the_key_or_their_session(build, op) -> None:
    entra = build(subject_claim="oid")
    assert (entra.read_logout(op.logout_token()).subject, entra.read_logout(op.logout_token()).reference) == (
        None,
        "sid-1",
    )
    assert entra.read_logout(op.logout_token(oid="0760b6cf", sid=None)).subject == f"0760b6cf {op.issuer}"
    assert isinstance(entra.read_logout(op.logout_token(sid=None)), Refused)


def test_what_the_directory_calls_people_becomes_the_key_of_a_sign_in(provider, op) -> None:
    subject = identify(provider, op).subject
    assert provider.subject_for("alice") == subject
    assert provider.external_id_of(subject) == "alice"
    assert provider.external_id_of(provider.subject_for("a b ")) == "a b "
    assert provider.external_id_of("alice https://other.example") is None
    long = "x" * 255
    assert provider.external_id_of(provider.subject_for(long)) is None
    op.claims = {"sub": long}
    assert identify(provider, op).subject == provider.subject_for(long)
