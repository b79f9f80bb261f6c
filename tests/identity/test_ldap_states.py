"""What directories say of accounts: each state in our words, and whatever is no word about a person is an outage."""

from datetime import UTC, datetime

import pytest

from gatepass.errors import Unavailable
from gatepass.identity.ldap.states import PASSWORD_POLICY, bind_refusal, entry_refusal
from gatepass.model.identity import Refusal

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def result(code: int, message: str = "", policy: bytes | None = None) -> dict[str, object]:
    controls = {PASSWORD_POLICY: {"value": policy}} if policy is not None else {}
    return {"result": code, "description": "words", "message": message, "controls": controls}


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        (result(0), None),
        (result(49), Refusal.WRONG_PASSWORD),
        (result(48), Refusal.WRONG_PASSWORD),
        (result(32), Refusal.UNKNOWN),
        (result(19), Refusal.LOCKED),
        (result(53), Refusal.DISABLED),
        (result(49, policy=bytes.fromhex("3003810100")), Refusal.PASSWORD_EXPIRED),
        (result(49, policy=bytes.fromhex("3003810101")), Refusal.LOCKED),
        (result(0, policy=bytes.fromhex("3003810102")), Refusal.MUST_CHANGE),
        (result(0, policy=bytes.fromhex("3008a003810105810102")), Refusal.MUST_CHANGE),
        (result(0, policy=bytes.fromhex("3005a003810105")), None),
        (result(0, policy=bytes.fromhex("3000")), None),
        (result(0, policy=b""), None),
        (result(49, policy=bytes.fromhex("3003810106")), Refusal.WRONG_PASSWORD),
        (
            result(49, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v2580"),
            Refusal.WRONG_PASSWORD,
        ),
        (result(49, "AcceptSecurityContext error, data 525, v1"), Refusal.UNKNOWN),
        (result(49, "AcceptSecurityContext error, data 530, v1"), Refusal.NOT_NOW),
        (result(49, "AcceptSecurityContext error, data 531, v1"), Refusal.NOT_NOW),
        (result(49, "AcceptSecurityContext error, data 532, v1"), Refusal.PASSWORD_EXPIRED),
        (result(49, "AcceptSecurityContext error, data 533, v1"), Refusal.DISABLED),
        (result(49, "AcceptSecurityContext error, data 701, v1"), Refusal.EXPIRED),
        (result(49, "AcceptSecurityContext error, data 773, v1"), Refusal.MUST_CHANGE),
        (result(49, "AcceptSecurityContext error, DATA 775, v1"), Refusal.LOCKED),
        (result(49, "AcceptSecurityContext error, data 9999, v1"), Refusal.WRONG_PASSWORD),
    ],
)
def test_a_bind_is_told_in_our_words(told: dict[str, object], refusal: Refusal | None) -> None:
    assert bind_refusal(told) is refusal


@pytest.mark.parametrize("code", [1, 2, 3, 7, 8, 10, 11, 13, 34, 50, 51, 52, 80])
def test_what_says_nothing_about_a_person_is_an_outage(code: int) -> None:
    with pytest.raises(Unavailable):
        bind_refusal(result(code))


def ticks(year: int) -> bytes:
    return str(
        int((datetime(year, 1, 1, tzinfo=UTC) - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds() * 10**7)
    ).encode()


@pytest.mark.parametrize(
    ("entry", "refusal"),
    [
        ({}, None),
        ({"pwdaccountlockedtime": [b"000001010000Z"]}, Refusal.DISABLED),
        ({"pwdaccountlockedtime": [b"20251231235959Z"]}, None),
        ({"nsaccountlock": [b"TRUE"]}, Refusal.DISABLED),
        ({"nsaccountlock": [b"false"]}, None),
        ({"useraccountcontrol": [b"512"]}, None),
        ({"useraccountcontrol": [b"514"]}, Refusal.DISABLED),
        ({"useraccountcontrol": [b"66050"]}, Refusal.DISABLED),
        ({"accountexpires": [b"0"]}, None),
        ({"accountexpires": [b"9223372036854775807"]}, None),
        ({"accountexpires": [ticks(2026)]}, Refusal.EXPIRED),
        ({"accountexpires": [ticks(2027)]}, None),
        ({"shadowexpire": [b"-1"]}, None),
        ({"shadowexpire": [b"20454"]}, Refusal.EXPIRED),
        ({"shadowexpire": [b"20455"]}, None),
    ],
)
def test_an_entry_says_who_may_not_sign_in(entry: dict[str, list[bytes]], refusal: Refusal | None) -> None:
    assert entry_refusal(entry, NOW) is refusal


@pytest.mark.parametrize("name", ["useraccountcontrol", "accountexpires", "shadowexpire"])
def test_a_state_that_cannot_be_read_is_an_outage(name: str) -> None:
    with pytest.raises(Unavailable):
        entry_refusal({name: [b"soon"]}, NOW)
