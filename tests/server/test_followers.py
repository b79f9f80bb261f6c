"""Receipts tell no more than is known: who confirmed, whose lease is over, and what nobody can know yet."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gatepass.errors import InvalidInput, TooManyRequests
from gatepass.model.registered_verifier import RegisteredVerifier
from gatepass.server import followers as module
from gatepass.server.followers import Followers, Instance, Receipt

BOUND = 5.0
ORDERS = RegisteredVerifier(UUID(int=1), "orders", b"mac", 1, datetime(2026, 1, 1, tzinfo=UTC))


class Time:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def followers(time: Time) -> Followers:
    return Followers(time, unknown_seconds=0)


def hear(followers: Followers, name: str, acknowledged: int, *, epoch: str = "e", bound: float = BOUND) -> Instance:
    return followers.hear(ORDERS, name, epoch=epoch, acknowledged=acknowledged, bound=bound)


def receipt(followers: Followers, revision: int, *, made_at: float = 1_000.0, seconds: float = 0) -> Receipt:
    return asyncio.run(followers.receipt("e", revision, bound=BOUND, made_at=made_at, seconds=seconds))


def test_with_nobody_connected_there_is_nobody_to_confirm(followers: Followers) -> None:
    assert receipt(followers, 7) == Receipt(0, 0, 0, 0.0, BOUND, 0.0)


def test_whoever_polls_behind_the_change_has_confirmed_it(followers: Followers, time: Time) -> None:
    hear(followers, "a", 6)
    hear(followers, "b", 6)
    time.now += 0.018
    hear(followers, "a", 7)
    found = receipt(followers, 7)
    assert (found.confirmed, found.of, found.is_complete) == (1, 2, False)
    assert found.slowest == pytest.approx(0.018)
    hear(followers, "b", 9)
    assert receipt(followers, 7).is_complete


def test_a_revision_of_another_epoch_confirms_nothing(followers: Followers) -> None:
    hear(followers, "a", 100, epoch="before")
    assert receipt(followers, 7).confirmed == 0


def test_a_lease_that_is_over_is_no_confirmation_and_no_danger(followers: Followers, time: Time) -> None:
    hear(followers, "a", 6)
    hear(followers, "b", 7)
    time.now += BOUND
    found = receipt(followers, 7)
    assert (found.confirmed, found.of, found.lease_ended, found.is_complete) == (1, 2, 1, True)


def test_a_poll_may_give_a_lease_before_its_reply_is_sent(followers: Followers, time: Time) -> None:
    """Counted from when it came in: its reply may have been read just before the change."""
    hear(followers, "a", 0, epoch="")
    time.now += 0.1
    assert receipt(followers, 7, made_at=time.now).of == 1


def test_whose_lease_was_over_before_the_change_is_not_waited_for(followers: Followers, time: Time) -> None:
    hear(followers, "a", 6)
    time.now += BOUND
    assert receipt(followers, 7, made_at=time.now) == Receipt(0, 0, 0, 0.0, BOUND, 0.0)


def test_after_a_start_it_says_for_how_long_others_may_hold_leases(time: Time) -> None:
    followers = Followers(time, unknown_seconds=8.0)
    hear(followers, "a", 7)
    found = receipt(followers, 7)
    assert (found.confirmed, found.of, found.unknown, found.is_complete) == (1, 1, 8.0, False)
    assert found.guaranteed == 8.0
    time.now += 8
    assert receipt(followers, 7, made_at=time.now).unknown == 0


def test_a_grace_is_in_what_is_guaranteed(followers: Followers) -> None:
    hear(followers, "a", 7, bound=65.0)
    assert receipt(followers, 7).guaranteed == 65.0


def test_a_bound_that_was_lowered_counts_as_it_was_until_its_leases_are_over(followers: Followers, time: Time) -> None:
    hear(followers, "a", 6, bound=60.0)
    time.now += 1
    instance = hear(followers, "a", 6, bound=1.0)
    assert followers.remaining(instance) == 59.0
    assert receipt(followers, 7, made_at=time.now).guaranteed == 59.0


def test_it_waits_for_the_last_one_and_no_longer(time: Time) -> None:
    followers = Followers(time, unknown_seconds=0)

    async def main() -> Receipt:
        hear(followers, "a", 6)
        hear(followers, "b", 6)
        waiting = asyncio.create_task(followers.receipt("e", 7, bound=BOUND, made_at=time.now, seconds=60))
        for name, after in (("a", 0.01), ("b", 0.02)):
            await asyncio.sleep(0)
            assert not waiting.done()
            time.now += after
            hear(followers, name, 7)
        # What comes later does not make it slower.
        time.now += 1
        hear(followers, "a", 8)
        return await waiting

    found = asyncio.run(main())
    assert (found.confirmed, found.of) == (2, 2)
    assert found.slowest < 1.1


def test_what_no_instance_can_be_called_is_refused(followers: Followers) -> None:
    for name in ("", "a" * 65, "a b", "a\n", "ä"):
        with pytest.raises(InvalidInput, match="instance"):
            hear(followers, name, 0)


def test_there_is_room_for_so_many_that_live(followers: Followers, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OF_ONE", 3)
    for name in "abc":
        hear(followers, name, 0)
    with pytest.raises(TooManyRequests):
        hear(followers, "d", 0)
    hear(followers, "a", 1)
    time.now += 3 * BOUND
    hear(followers, "d", 0)
    assert [each.instance for each in followers.list()] == ["a", "b", "c", "d"]
    time.now += 1_000
    assert followers.list() == []


def test_whoever_leaves_is_not_waited_for(followers: Followers, time: Time) -> None:
    hear(followers, "a", 6)
    time.now += 0.5

    async def main() -> Receipt:
        waiting = asyncio.create_task(followers.receipt("e", 7, bound=BOUND, made_at=time.now, seconds=60))
        await asyncio.sleep(0)
        followers.leave(ORDERS, "a")
        followers.leave(ORDERS, "never heard of")
        return await waiting

    found = asyncio.run(main())
    assert (found.confirmed, found.of, found.lease_ended) == (0, 1, 1)
    assert followers.list() == []


def test_the_lag_is_from_telling_to_the_next_poll(time: Time) -> None:
    lags: list[float] = []
    followers = Followers(time, unknown_seconds=0, note_lag=lags.append)
    followers.told(hear(followers, "a", 6))
    time.now += 0.25
    assert hear(followers, "a", 7).lag == 0.25
    assert lags == [0.25]
