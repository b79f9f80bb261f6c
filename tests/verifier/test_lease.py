"""A lease ends in time, whatever the clocks and the network do."""

import pytest

from gatepass.verifier.lease import MARGIN, Lease, LeaseClock
from support.leases import BOUND, Hands

LENGTH = BOUND * (1 - MARGIN)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def lease(hands: Hands) -> Lease:
    made = Lease(hands.clock())
    made.renew(made.clock.moment(), 7, bound=BOUND)
    return made


def test_a_new_lease_is_not_fresh(hands: Hands) -> None:
    lease = Lease(hands.clock())
    assert not lease.is_fresh
    assert lease[0] != lease[1]
    assert lease.remaining == 0


def test_while_it_is_fresh_both_numbers_are_the_revision(lease: Lease, hands: Hands) -> None:
    assert list(lease) == [7, 7]
    hands.pass_by(LENGTH - 0.001)
    assert list(lease) == [7, 7]
    assert lease.remaining == pytest.approx(0.001, abs=1e-5)


def test_it_holds_for_its_own_number_alone(lease: Lease, hands: Hands) -> None:
    assert lease.holds(7, hands.wall)
    assert not lease.holds(6, hands.wall)
    assert not lease.holds(7, hands.wall + LENGTH)
    hands.boot += LENGTH
    assert not lease.holds(7, hands.wall)


def test_it_ends_before_the_bound(lease: Lease, hands: Hands) -> None:
    hands.pass_by(LENGTH)
    assert not lease.is_fresh
    assert lease[0] != lease[1]
    assert LENGTH < BOUND


def test_it_counts_from_when_the_question_was_sent(hands: Hands) -> None:
    lease = Lease(hands.clock())
    sent_at = lease.clock.moment()
    hands.pass_by(LENGTH)  # the answer was that slow
    lease.renew(sent_at, 7, bound=BOUND)
    assert not lease.is_fresh


def test_a_wall_clock_that_is_set_back_does_not_extend_it(lease: Lease, hands: Hands) -> None:
    hands.wall -= 3600
    hands.boot += LENGTH
    assert not lease.is_fresh


def test_a_wall_clock_that_is_set_forward_ends_it(lease: Lease, hands: Hands) -> None:
    hands.wall += LENGTH
    assert not lease.is_fresh


def test_suspension_counts_although_the_wall_clock_does_not_show_it(lease: Lease, hands: Hands) -> None:
    hands.boot += LENGTH
    assert not lease.is_fresh


def test_the_real_clock_counts_suspension() -> None:
    import time

    clock = LeaseClock()
    assert abs(clock.boot() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1
    assert abs(clock.wall() - time.time()) < 1


def test_it_can_be_ended(lease: Lease) -> None:
    lease.end()
    assert not lease.is_fresh
    assert lease[1] == 7
