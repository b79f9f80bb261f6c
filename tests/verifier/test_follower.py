"""A verifier elsewhere answers from memory only what its source would say, or would have said within the bound."""

from uuid import UUID

import pytest

from gatepass.errors import Unavailable
from gatepass.interfaces import Followed
from gatepass.model.change import Change, ChangeKind
from gatepass.model.verdict import Accepted, Reason, Rejected
from gatepass.verifier import cache, follower
from support.leases import BOUND, Elsewhere, Hands, Origin, presented


def test_nothing_is_remembered_before_the_first_poll(origin: Origin, elsewhere: Elsewhere) -> None:
    token, _ = origin.create()
    assert elsewhere.says(token) is None
    assert not elsewhere.remembers(token)
    elsewhere.poll()
    assert not elsewhere.remembers(token)
    assert elsewhere.remembers(token)


def test_a_deletion_that_was_heard_of_ends_the_memory_of_that_token_alone(origin: Origin, elsewhere: Elsewhere) -> None:
    (token, number), (other, _) = origin.create(), origin.create()
    elsewhere.poll()
    assert [elsewhere.says(each) for each in (token, other)] == [None, None]
    origin.delete(number)
    assert elsewhere.says(token) is None  # not heard of yet, and within the bound
    elsewhere.poll()
    assert elsewhere.says(token) is Reason.DELETED
    assert elsewhere.remembers(other)


def test_without_an_answer_memory_ends_with_the_lease_and_then_it_is_an_outage(
    origin: Origin, elsewhere: Elsewhere, hands: Hands
) -> None:
    token, number = origin.create()
    elsewhere.poll()
    elsewhere.says(token)
    origin.delete(number)
    origin.is_away = True
    hands.pass_by(BOUND / 2)
    assert elsewhere.says(token) is None
    hands.pass_by(BOUND / 2)
    with pytest.raises(Unavailable):
        elsewhere.says(token)


def test_when_the_lease_is_over_the_source_is_asked_and_says_what_is(
    origin: Origin, elsewhere: Elsewhere, hands: Hands
) -> None:
    (token, number), (other, _) = origin.create(), origin.create()
    elsewhere.poll()
    elsewhere.says(token)
    origin.delete(number)
    hands.pass_by(BOUND)
    assert elsewhere.says(token) is Reason.DELETED
    assert elsewhere.says(other) is None
    assert not elsewhere.remembers(other)


def test_what_was_remembered_counts_again_after_a_poll_if_nothing_changed(
    origin: Origin, elsewhere: Elsewhere, hands: Hands
) -> None:
    (token, number), (other, _) = origin.create(), origin.create()
    elsewhere.poll()
    elsewhere.says(token)
    elsewhere.says(other)
    hands.pass_by(2 * BOUND)
    origin.delete(number)
    elsewhere.poll()
    assert elsewhere.remembers(other)
    assert elsewhere.says(token) is Reason.DELETED


def test_a_reply_that_a_later_question_overtook_renews_nothing(origin: Origin, elsewhere: Elsewhere) -> None:
    late = elsewhere.follower.question()
    reply = origin.follow(late.after, late.epoch)
    elsewhere.follower.question()
    elsewhere.follower.take(late, reply)
    assert not elsewhere.lease.is_fresh


def test_the_lease_counts_from_the_question_however_late_the_reply_is(
    origin: Origin, elsewhere: Elsewhere, hands: Hands
) -> None:
    """`lease_on_receive`."""
    question = elsewhere.follower.question()
    reply = origin.follow(question.after, question.epoch)
    hands.pass_by(BOUND / 2)
    elsewhere.follower.take(question, reply)
    assert elsewhere.lease.is_fresh
    hands.pass_by(BOUND / 2)
    assert not elsewhere.lease.is_fresh


@pytest.mark.parametrize("skew", [-2.1, 2.1, -86_400])
def test_a_clock_that_differs_from_the_sources_ends_the_lease_until_it_is_right(
    origin: Origin, elsewhere: Elsewhere, hands: Hands, skew: float
) -> None:
    elsewhere.poll()
    question = elsewhere.follower.question()
    with pytest.raises(Unavailable, match=f"differ by {abs(skew):.1f} s"):
        elsewhere.follower.take(question, origin.follow(question.after, question.epoch)._replace(now=hands.wall + skew))
    assert not elsewhere.lease.is_fresh
    assert not elsewhere.follower.clocks_agree
    question = elsewhere.follower.question()
    elsewhere.follower.take(question, origin.follow(question.after, question.epoch)._replace(now=hands.wall + 1.9))
    assert elsewhere.lease.is_fresh
    assert elsewhere.follower.clocks_agree


def test_a_slow_reply_is_no_wrong_clock(origin: Origin, elsewhere: Elsewhere, hands: Hands) -> None:
    question = elsewhere.follower.question()
    told = hands.wall
    hands.pass_by(BOUND / 2)
    elsewhere.follower.take(question, origin.follow(question.after, question.epoch)._replace(now=told))
    assert elsewhere.lease.is_fresh


def test_a_reply_counts_once(origin: Origin, elsewhere: Elsewhere, hands: Hands) -> None:
    question = elsewhere.follower.question()
    reply = origin.follow(question.after, question.epoch)
    elsewhere.follower.take(question, reply)
    elsewhere.lease.end()
    elsewhere.follower.take(question, reply)
    assert not elsewhere.lease.is_fresh


def test_another_epoch_empties_the_memory_even_at_the_same_revision(origin: Origin, elsewhere: Elsewhere) -> None:
    token, number = origin.create()
    elsewhere.poll()
    elsewhere.says(token)
    origin.epoch = "two"
    origin.verdicts[number] = Rejected(Reason.UNKNOWN)
    elsewhere.poll()
    assert elsewhere.says(token) is Reason.UNKNOWN


def test_changes_of_another_epoch_are_none_of_ours(origin: Origin, elsewhere: Elsewhere) -> None:
    token, number = origin.create()
    elsewhere.poll()
    elsewhere.says(token)
    origin.verdicts[number] = Rejected(Reason.UNKNOWN)
    question = elsewhere.follower.question()
    elsewhere.follower.take(question, Followed("two", question.after, [], BOUND))
    assert elsewhere.lease.is_fresh
    assert elsewhere.says(token) is Reason.UNKNOWN


def test_a_source_that_went_back_empties_the_memory(origin: Origin, elsewhere: Elsewhere) -> None:
    token, number = origin.create()
    origin.change()
    origin.change()
    elsewhere.poll()
    elsewhere.says(token)
    origin.changes.pop()
    origin.verdicts[number] = Rejected(Reason.UNKNOWN)
    elsewhere.poll()
    assert elsewhere.says(token) is Reason.UNKNOWN


def test_a_trimmed_feed_empties_the_memory(origin: Origin, elsewhere: Elsewhere) -> None:
    token, number = origin.create()
    elsewhere.poll()
    elsewhere.says(token)
    origin.delete(number)
    origin.change(ChangeKind.TOKEN, UUID(int=1))
    origin.forgotten = 1
    elsewhere.poll()
    assert elsewhere.lease.is_fresh
    assert elsewhere.says(token) is Reason.DELETED


@pytest.mark.parametrize("kept", [[2, 3], [1, 3], [1, 2], [], [1, 2, 3, 4], [3, 2, 1]])
def test_changes_with_a_gap_empty_the_memory(origin: Origin, elsewhere: Elsewhere, kept: list[int]) -> None:
    token, number = origin.create()
    elsewhere.poll()
    elsewhere.says(token)
    origin.verdicts[number] = Rejected(Reason.DELETED, number)
    question = elsewhere.follower.question()
    changes = [Change(each, ChangeKind.TOKEN, UUID(int=each)) for each in kept]
    elsewhere.follower.take(question, Followed("one", 3, changes, BOUND))
    assert elsewhere.says(token) is Reason.DELETED


def test_more_changes_than_are_kept_empty_the_memory(
    origin: Origin, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, number = origin.create()
    elsewhere.poll()
    elsewhere.says(token)
    origin.delete(number)
    for each in range(follower.MOST_CHANGES):
        origin.change(ChangeKind.TOKEN, UUID(int=each))
    elsewhere.poll()
    assert elsewhere.says(token) is Reason.DELETED


def test_an_answer_older_than_a_change_is_not_kept(origin: Origin, elsewhere: Elsewhere) -> None:
    """`stale_put`: the look-up was read before the deletion, and its reply came after the change."""
    token, number = origin.create()
    elsewhere.poll()

    def overtake() -> None:
        origin.delete(number)
        elsewhere.poll()

    elsewhere.before_reply = overtake
    assert elsewhere.says(token) is None  # asked before the deletion
    assert elsewhere.says(token) is Reason.DELETED


def test_an_answer_that_another_change_overtook_is_kept(origin: Origin, elsewhere: Elsewhere) -> None:
    (token, _), (first, _) = origin.create(), origin.create()
    elsewhere.poll()
    elsewhere.says(first)

    def overtake() -> None:
        origin.change(ChangeKind.TOKEN, UUID(int=1))
        elsewhere.poll()

    elsewhere.before_reply = overtake
    elsewhere.says(token)
    assert elsewhere.remembers(token)


def test_an_answer_that_is_ahead_of_the_changes_is_kept_and_holds_when_they_come(
    origin: Origin, elsewhere: Elsewhere
) -> None:
    token, number = origin.create()
    elsewhere.poll()
    origin.change(ChangeKind.TOKEN, UUID(int=1))
    elsewhere.says(token)
    assert elsewhere.remembers(token)
    elsewhere.poll()
    assert elsewhere.remembers(token)
    origin.delete(number)
    elsewhere.poll()
    assert elsewhere.says(token) is Reason.DELETED


@pytest.mark.parametrize("crowd", [0, 200_000], ids=["in memory", "evicted meanwhile"])
def test_an_older_answer_does_not_replace_a_newer_one(origin: Origin, elsewhere: Elsewhere, crowd: int) -> None:
    """`old_put`: two replies to look-ups overtake each other, both ahead of the changes heard of."""
    token, number = origin.create()
    elsewhere.poll()
    shown, kept = presented(token), elsewhere.verifier._cache
    alive, epoch, before = origin.read(shown)
    origin.delete(number)
    dead, _, after = origin.read(shown)
    stamps = [elsewhere.follower.number_of(epoch, each) for each in (before, after)]
    kept.put(shown.digest, dead, stamp=stamps[1], now=0)
    if crowd:
        for each in range(cache.MOST_REFUSALS + 1):
            kept.put(each.to_bytes(32, "big"), Rejected(Reason.UNKNOWN), stamp=stamps[1], now=0)
    kept.put(shown.digest, alive, stamp=stamps[0], now=0)
    assert not isinstance(kept.find(shown.digest, 0), Accepted)


def test_an_older_answer_does_not_come_in_behind_a_newer_one_that_made_room(
    origin: Origin, elsewhere: Elsewhere
) -> None:
    token, _ = origin.create()
    elsewhere.poll()
    kept = cache.Cache(elsewhere.follower, most=4)
    verdict, epoch, before = origin.read(presented(token))
    origin.change(ChangeKind.TOKEN, UUID(int=1))
    older, newer = (elsewhere.follower.number_of(epoch, each) for each in (before, origin.head))
    for each in range(5):
        kept.put(each.to_bytes(32, "big"), verdict, stamp=newer, now=0)
    kept.put(b"x" * 32, verdict, stamp=older, now=0)
    assert kept.find(b"x" * 32, 0) is None


def test_an_answer_of_another_epoch_is_not_kept(origin: Origin, elsewhere: Elsewhere) -> None:
    token, _ = origin.create()
    elsewhere.poll()
    origin.epoch = "two"
    assert elsewhere.says(token) is None
    assert not elsewhere.remembers(token)


def test_an_answer_that_was_asked_for_before_everything_was_forgotten_is_not_kept(
    origin: Origin, elsewhere: Elsewhere
) -> None:
    """Numbers went back meanwhile, so what it was read at would look later than it was."""
    token, number = origin.create()
    for _ in range(5):
        origin.change()
    elsewhere.poll()

    def went_back() -> None:
        origin.changes.clear()
        elsewhere.poll()

    elsewhere.before_reply = went_back
    assert elsewhere.says(token) is None
    origin.delete(number)
    elsewhere.poll()
    assert elsewhere.says(token) is Reason.DELETED


@pytest.mark.parametrize("is_new", [False, True], ids=["same epoch", "another epoch"])
@pytest.mark.parametrize("by_digest", [False, True], ids=["by the token", "by id and digest"])
def test_what_was_refused_without_a_lease_is_not_accepted_by_one_that_an_old_reply_gives(
    origin: Origin, elsewhere: Elsewhere, hands: Hands, is_new: bool, by_digest: bool
) -> None:
    """Found by the simulation: the reply was read before the deletion, and came after the lease was over."""
    token, number = origin.create()
    elsewhere.poll()
    elsewhere.says(token)
    hands.pass_by(BOUND)
    question = elsewhere.follower.question()
    slow = origin.follow(question.after, question.epoch)
    origin.epoch = "two" if is_new else origin.epoch
    origin.delete(number)
    if by_digest:
        assert isinstance(elsewhere.verifier.judge(presented(token)), Rejected)
    else:
        assert elsewhere.says(token) is Reason.DELETED
    elsewhere.follower.take(question, slow)
    assert elsewhere.lease.is_fresh
    assert elsewhere.says(token) is Reason.DELETED


def test_an_acceptance_that_is_not_kept_leaves_no_older_one_to_be_told_after_it(
    origin: Origin, elsewhere: Elsewhere
) -> None:
    """Found by the simulation: the newer one was asked for in an earlier life, and had the owner's new name."""
    token, number = origin.create()
    elsewhere.poll()
    elsewhere.says(token)
    cache = elsewhere.verifier._cache
    cache.put(presented(token).digest, origin.verdicts[number], stamp=None, now=elsewhere.hands.wall)
    assert not elsewhere.remembers(token)


def test_a_refusal_ends_with_any_change(origin: Origin, elsewhere: Elsewhere) -> None:
    token, number = origin.create()
    accepted = origin.verdicts[number]
    origin.verdicts[number] = Rejected(Reason.OWNER_DISABLED, number)
    elsewhere.poll()
    assert elsewhere.says(token) is Reason.OWNER_DISABLED
    assert elsewhere.remembers(token)
    origin.verdicts[number] = accepted
    origin.change()
    elsewhere.poll()
    assert elsewhere.says(token) is None


def test_a_poll_acknowledges_what_the_one_before_brought(origin: Origin, elsewhere: Elsewhere) -> None:
    assert (elsewhere.follower.question().after, elsewhere.follower.question().epoch) == (0, "")
    origin.change()
    elsewhere.poll()
    question = elsewhere.follower.question()
    assert (question.after, question.epoch, question.wait) == (1, "one", BOUND / follower.POLLS_A_BOUND)
