"""Unknown tokens: slowed down for each address under /v4; /verify and valid tokens never feel it."""

import pytest

from gatepass.errors import TooManyRequests
from gatepass.server.probing import ProbeLimit
from gatepass.testing.fakes import FakeClock
from support.server import Server, make_installation

UNKNOWN = "gpat_00000000000000000000000000000000000000000000000000000003Vuzr"
MOST = 3


def allowed(limit: ProbeLimit, address: str | None = "192.0.2.1") -> bool:
    try:
        limit.count(address)
    except TooManyRequests:
        return False
    return True


def test_sixty_a_minute_go_by_and_the_next_waits_for_the_minute_to_end() -> None:
    clock = FakeClock()
    limit = ProbeLimit(clock, per_minute=60)
    clock.advance(seconds=20)
    assert [allowed(limit) for _ in range(60)] == [True] * 60
    with pytest.raises(TooManyRequests) as caught:
        limit.count("192.0.2.1")
    assert caught.value.retry_after == 40
    clock.advance(seconds=40)
    assert allowed(limit)


def test_each_address_has_its_own_count_and_a_network_of_version_6_one() -> None:
    limit = ProbeLimit(FakeClock(), per_minute=1)
    assert [allowed(limit, address) for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2")] == [
        True,
        True,
        True,
        False,
    ]


def test_many_addresses_take_no_more_memory_and_stop_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepass.server.probing._MOST_ADDRESSES", 2)
    limit = ProbeLimit(FakeClock(), per_minute=1)
    assert all(allowed(limit, f"192.0.2.{number}") for number in range(9))
    assert len(limit._counts) == 2


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory):
    data = tmp_path_factory.mktemp("probed") / "data"
    make_installation(data)
    with Server(data, env={"GATEPASS_SIGN_IN__UNKNOWN_TOKENS_PER_MINUTE": str(MOST)}) as server:
        yield server


def probe(server: Server, token: str = UNKNOWN) -> list[int]:
    """Present unknown tokens until that is 429; a minute may end in between."""
    statuses = [server.request("GET", "/v4/people/current", bearer=token).status]
    while statuses[-1] == 401 and len(statuses) < 3 * MOST:
        statuses.append(server.request("GET", "/v4/people/current", bearer=token).status)
    return statuses


@pytest.mark.parametrize("token", [UNKNOWN, "nonsense"])
def test_more_unknown_tokens_than_that_are_429_with_the_time_to_wait(probed: Server, token: str) -> None:
    assert probe(probed, token)[-1] == 429
    reply = probed.request("GET", "/v4/people/current", bearer=token)
    if reply.status != 401:  # unless a new minute began just now
        assert (reply.status, reply.error) == (429, "TooManyRequestsException")
        assert 1 <= int(reply.headers["retry-after"]) <= 60


def test_a_valid_token_is_never_refused_for_the_unknown_ones(probed: Server) -> None:
    value, _ = probed.create_token()
    assert probe(probed)[-1] == 429
    assert {probed.request("GET", "/v4/people/current", bearer=value).status for _ in range(3 * MOST)} == {200}


def test_verify_stays_401(probed: Server) -> None:
    assert probe(probed)[-1] == 429
    assert {probed.request("GET", "/verify", bearer=UNKNOWN).status for _ in range(3 * MOST)} == {401}


def test_a_token_that_was_deleted_is_no_unknown_one(probed: Server) -> None:
    value, info = probed.create_token()
    probed.admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}")
    assert probe(probed, value) == [401] * 3 * MOST
