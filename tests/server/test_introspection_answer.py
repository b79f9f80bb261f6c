"""What an introspection answers for each kind of verdict, without a server: the same bytes for every listener."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gatepass.errors import InvalidInput, NotAuthenticated, Unavailable
from gatepass.model.presented import PresentedToken
from gatepass.model.rights import FULL_ACCESS, Rights, check_rights
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict
from gatepass.server.oauth.answers import Answer
from gatepass.server.oauth.introspect import Caller, introspect
from support.oauth import INACTIVE, UNKNOWN

OWNER = UUID("01890000-0000-7000-8000-00000000000a")
END = datetime(2026, 2, 1, 0, 0, 0, 999_000, UTC)
TOKEN = UUID("019b76da-a800-7000-8000-000000000001")


def good(*, rights: Rights = FULL_ACCESS, expires_at: datetime | None = END) -> Accepted:
    return Accepted(TOKEN, OWNER, "maria@example.com", expires_at, rights)


GOOD = good()
LIMITED = check_rights(["jobs:read", "files:*"], ["10.0.0.0/8", "2001:db8::/32"], ["orders", "reports"])


def told(verdict: Verdict, *, is_verifier: bool = True, sees: bool = True, **fields: str) -> Answer:
    caller = Caller(is_verifier, may_see=lambda owner_id: sees and owner_id == OWNER)
    return introspect(lambda _: verdict, caller, {"token": UNKNOWN, **fields}, issuer="https://tokens.example.com")


def limited(**fields: str) -> Answer:
    return told(good(rights=LIMITED), **fields)


def test_the_bytes_for_full_access() -> None:
    assert told(GOOD).body == (
        b'{"active":true,"token_type":"Bearer","scope":"*","sub":"01890000-0000-7000-8000-00000000000a",'
        b'"username":"maria@example.com","jti":"019b76da-a800-7000-8000-000000000001","exp":1769904000,'
        b'"iat":1767225600,"iss":"https://tokens.example.com"}'
    )


def test_the_bytes_for_a_token_with_every_restriction() -> None:
    assert limited().body == (
        b'{"active":true,"token_type":"Bearer","scope":"jobs:read files:*","sub":"01890000-0000-7000-8000-00000000000a",'
        b'"username":"maria@example.com","jti":"019b76da-a800-7000-8000-000000000001","exp":1769904000,'
        b'"iat":1767225600,"aud":["orders","reports"],"iss":"https://tokens.example.com",'
        b'"allowed_networks":["10.0.0.0/8","2001:db8::/32"]}'
    )


def test_no_scopes_are_the_empty_string_and_full_access_is_a_star() -> None:
    assert json.loads(told(good(rights=Rights(scopes=()))).body)["scope"] == ""
    assert json.loads(told(good(rights=FULL_ACCESS)).body)["scope"] == "*"
    assert json.loads(told(good(rights=Rights(networks=LIMITED.networks))).body)["scope"] == "*"


def test_a_token_without_end_has_no_exp() -> None:
    assert "exp" not in json.loads(told(good(expires_at=None)).body)


@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_is_inactive_and_only_the_log_hears_the_reason(reason: Reason) -> None:
    answer = told(Rejected(reason, GOOD.token_id))
    assert (answer.status, answer.body) == (200, INACTIVE)
    assert (answer.result, answer.token_id) == (reason.value, GOOD.token_id)


def test_a_token_that_is_not_theirs_is_inactive() -> None:
    answer = told(GOOD, sees=False)
    assert (answer.body, answer.result) == (INACTIVE, "not-theirs")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"client_address": "10.1.2.3"}, None),
        ({"client_address": "::ffff:10.1.2.3"}, None),
        ({"client_address": "2001:db8::7"}, None),
        ({"client_address": "192.0.2.7"}, "network"),
        ({"audience": "orders"}, None),
        ({"audience": "Orders"}, "audience"),
        ({"audience": "billing"}, "audience"),
        ({"scope": "jobs:read"}, None),
        ({"scope": "jobs:read files:write"}, None),
        ({"scope": "jobs:write"}, "scope"),
        ({"scope": "jobs:read *:*"}, "scope"),
        ({"scope": "jobs:read", "audience": "orders", "client_address": "10.0.0.1"}, None),
        ({"scope": "jobs:read", "audience": "billing", "client_address": "10.0.0.1"}, "audience"),
        ({"scope": "jobs:read", "audience": "orders", "client_address": "11.0.0.1"}, "network"),
    ],
)
def test_what_the_caller_tells_of_the_request_is_taken_into_account(fields: dict[str, str], reason: str | None) -> None:
    answer = limited(**fields)
    if reason is None:
        assert (answer.body, answer.result) == (limited().body, "accepted")
    else:
        assert (answer.body, answer.result) == (INACTIVE, reason)


def test_without_scopes_no_demand_is_met() -> None:
    assert told(good(rights=Rights(scopes=())), scope="jobs:read").body == INACTIVE


def test_id_and_digest_reach_the_judge_as_they_were_sent() -> None:
    seen: list[PresentedToken] = []

    def judge(presented: PresentedToken) -> Verdict:
        seen.append(presented)
        return GOOD

    fields = {"token_id": str(GOOD.token_id), "token_digest": "ab" * 32}
    introspect(judge, Caller(True, lambda _: True), fields, issuer="x")
    assert seen == [PresentedToken(GOOD.token_id, b"\xab" * 32)]
    with pytest.raises(InvalidInput):
        introspect(judge, Caller(False, lambda _: True), fields, issuer="x")
    assert len(seen) == 1


@pytest.mark.parametrize("error", [Unavailable("out of reach"), NotAuthenticated(), RuntimeError("a mistake")])
def test_what_fails_is_raised_and_never_an_answer(error: Exception) -> None:
    def failing(_: object) -> Verdict:
        raise error

    with pytest.raises(type(error)):
        introspect(failing, Caller(True, lambda _: True), {"token": UNKNOWN}, issuer="x")
    with pytest.raises(type(error)):
        introspect(lambda _: GOOD, Caller(False, failing), {"token": UNKNOWN}, issuer="x")
