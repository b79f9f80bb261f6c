"""A process that follows a database and changes it too: what it changed counts there before it says that it did."""

from uuid import UUID

import pytest

from gatepass.model.change import ChangeKind
from gatepass.model.verdict import Reason
from support.leases import BOUND, Elsewhere, Hands, Origin


def test_a_change_of_ones_own_counts_at_once_and_lengthens_no_lease(
    origin: Origin, elsewhere: Elsewhere, hands: Hands
) -> None:
    (token, number), (other, _) = origin.create(), origin.create()
    elsewhere.poll()
    assert [elsewhere.says(each) for each in (token, other)] == [None, None]
    hands.pass_by(BOUND / 2)
    origin.change(ChangeKind.TOKEN, UUID(int=5))  # somebody else's, not heard of yet
    origin.delete(number)
    before = elsewhere.lease.remaining
    elsewhere.follower.bring(origin.changes, epoch=origin.epoch)
    assert elsewhere.lease.remaining == before
    assert elsewhere.says(token) is Reason.DELETED
    assert elsewhere.remembers(other)


def test_an_answer_from_before_ones_own_change_takes_nothing_back(
    origin: Origin, elsewhere: Elsewhere, hands: Hands
) -> None:
    token, number = origin.create()
    elsewhere.poll()
    elsewhere.says(token)
    question = elsewhere.follower.question()
    origin.change()
    late = origin.follow(question.after, question.epoch)
    origin.delete(number)
    elsewhere.follower.bring(origin.changes, epoch=origin.epoch)
    hands.pass_by(BOUND / 10)
    elsewhere.follower.take(question, late)
    assert elsewhere.follower.applied == 2
    assert elsewhere.says(token) is Reason.DELETED
    elsewhere.poll()  # and the next poll goes on from there
    assert elsewhere.lease.is_fresh
    assert elsewhere.follower.applied == 2


def test_a_change_of_ones_own_in_another_history_ends_the_lease(origin: Origin, elsewhere: Elsewhere) -> None:
    token, number = origin.create()
    origin.change()
    elsewhere.poll()
    elsewhere.says(token)
    origin.epoch, origin.changes = "two", []  # put back to before; its first change is known here by another name
    origin.delete(number)
    elsewhere.follower.bring(origin.changes, epoch=origin.epoch)
    assert not elsewhere.lease.is_fresh
    assert elsewhere.says(token) is Reason.DELETED


@pytest.mark.parametrize("begun", [True, False])
def test_where_ones_own_change_does_not_follow_on_what_is_known_nothing_is_answered_from_memory(
    origin: Origin, elsewhere: Elsewhere, *, begun: bool
) -> None:
    token, number = origin.create()
    if begun:
        elsewhere.poll()
        elsewhere.says(token)
    question = elsewhere.follower.question()
    late = origin.follow(question.after, question.epoch)
    origin.change()
    origin.delete(number)
    elsewhere.follower.bring(origin.changes[1:] if begun else None, epoch=origin.epoch)
    assert not elsewhere.lease.is_fresh
    elsewhere.follower.take(question, late)  # read before the change: it must not begin a lease
    assert not elsewhere.lease.is_fresh
    elsewhere.poll()
    assert elsewhere.says(token) is Reason.DELETED
    assert elsewhere.lease.is_fresh
