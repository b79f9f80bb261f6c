"""Counting uses: nothing is lost, whoever counts, takes or fails meanwhile, and memory is bounded."""

import sys
import threading
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gatepass.model.rights import FULL_ACCESS
from gatepass.model.use import UseCount, Uses, hour_of
from gatepass.model.verdict import Accepted, Reason
from gatepass.verifier import uses as module
from gatepass.verifier.cache import Entry
from gatepass.verifier.uses import PACE, UseCounter

EACH = 200
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW = AT.timestamp()
TOKEN, OTHER = 1, 2
OWNER = UUID(int=3)


class ByEntry(UseCounter):
    """Counts accepted requests as those with a token in memory."""

    def __init__(self, **options: int) -> None:
        super().__init__(**options)
        self._entries = {
            number: Entry(Accepted(UUID(int=number), OWNER, "a@example.com", None, FULL_ACCESS), 1, {})
            for number in range(10)
        }

    def accepted(self, number: int, now: float) -> None:
        self.hit(self._entries[number], now)


@pytest.fixture(params=[UseCounter, ByEntry])
def new(request: pytest.FixtureRequest) -> type[UseCounter]:
    return request.param


def take(counter: UseCounter, now: float = NOW, *, everything: bool = False) -> Uses:
    with counter.taken(now, everything=everything) as found:
        return found


def total(found: Uses, token: int = TOKEN, reason: Reason | None = None) -> int:
    return sum(each.count for each in found.counts if (each.token_id.int, each.reason) == (token, reason))


def test_what_was_counted_is_handed_out_once(new: type[UseCounter]) -> None:
    counter = new()
    for second in range(3):
        counter.accepted(TOKEN, NOW + second)
    counter.refused(OTHER, Reason.EXPIRED, NOW)
    found = take(counter)
    assert found.last_used == {UUID(int=TOKEN): AT + timedelta(seconds=2)}
    assert list(found.counts) == [
        UseCount(UUID(int=TOKEN), hour_of(AT), None, 3),
        UseCount(UUID(int=OTHER), hour_of(AT), Reason.EXPIRED, 1),
    ]
    assert not take(counter, NOW + PACE, everything=True)


def test_the_first_use_is_due_at_once_and_later_ones_at_their_pace(new: type[UseCounter]) -> None:
    counter = new()
    counter.accepted(TOKEN, NOW)
    assert total(take(counter)) == 1
    counter.accepted(TOKEN, NOW)
    counter.accepted(OTHER, NOW)
    assert [each.token_id.int for each in take(counter, NOW + PACE - 1).counts] == [OTHER]
    assert counter.waiting() == 1
    assert total(take(counter, NOW + PACE)) == 1
    assert counter.waiting() == 0


def test_everything_is_handed_out_before_its_time_when_asked_for(new: type[UseCounter]) -> None:
    counter = new()
    counter.accepted(TOKEN, NOW)
    take(counter)
    counter.accepted(TOKEN, NOW)
    assert total(take(counter, everything=True)) == 1


def test_a_clock_that_was_set_back_holds_nothing_up(new: type[UseCounter]) -> None:
    counter = new()
    counter.accepted(TOKEN, NOW)
    take(counter)
    counter.accepted(TOKEN, NOW - 86_400)
    assert total(take(counter, NOW - 86_400)) == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_could_not_be_written_is_due_again_at_once(new: type[UseCounter], error: type[BaseException]) -> None:
    counter = new()
    counter.accepted(TOKEN, NOW)
    for _ in range(3):
        counter.accepted(TOKEN, NOW)
        with pytest.raises(error), counter.taken(NOW):
            raise error
    assert total(take(counter)) == 4


def test_a_token_not_used_any_more_is_forgotten(new: type[UseCounter]) -> None:
    counter = new()
    counter.accepted(TOKEN, NOW)
    counter.refused(TOKEN, Reason.DELETED, NOW)
    take(counter)
    take(counter, NOW + PACE)
    assert (counter._accepted, counter._refused) == ({}, {})
    counter.accepted(TOKEN, NOW + PACE)
    assert total(take(counter, NOW + PACE)) == 1


def test_who_counts_while_a_token_is_forgotten_is_heard(new: type[UseCounter]) -> None:
    """A thread that looked the token up before is held up until it has left."""
    counter = new()
    counter.accepted(TOKEN, NOW)
    held = counter._accepted[TOKEN]
    take(counter)
    assert not take(counter, NOW + PACE)
    counter._accepted[TOKEN] = held
    counter.accepted(TOKEN, NOW + PACE)
    del counter._accepted[TOKEN]
    with pytest.raises(RuntimeError), counter.taken(NOW + PACE):
        raise RuntimeError
    assert total(take(counter, NOW + PACE)) == 1
    assert not take(counter, NOW + PACE, everything=True)


def test_a_full_table_lets_refused_requests_go_before_accepted_ones(new: type[UseCounter]) -> None:
    counter = new(most=3)
    for _ in range(2):
        counter.refused(TOKEN, Reason.EXPIRED, NOW)
        counter.refused(OTHER, Reason.EXPIRED, NOW)
    for number in range(3, 7):
        counter.accepted(number, NOW)
    counter.refused(TOKEN, Reason.DELETED, NOW)
    found = take(counter)
    assert {each.token_id.int for each in found.counts} == {3, 4, 5}
    assert counter.dropped == 4 + 1 + 1


def test_many_counts_are_handed_out_in_portions(new: type[UseCounter], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_AT_ONCE", 4)
    counter = new()
    for number in range(10):
        counter.accepted(number, NOW)
    assert [len(take(counter).counts) for _ in range(4)] == [4, 4, 2, 0]


def test_256_threads_lose_no_count_while_others_take_fail_and_forget(
    new: type[UseCounter], monkeypatch: pytest.MonkeyPatch
) -> None:
    # With no pace at all every look takes, and forgets whatever paused: the worst there can be.
    monkeypatch.setattr(module, "PACE", 0.0)
    counter, over = new(), threading.Event()
    writers = [Writer(counter, over) for _ in range(2)]
    threads = [threading.Thread(target=use_a_lot, args=(counter,)) for _ in range(256)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in (*writers, *threads):
            thread.start()
        for thread in threads:
            thread.join()
        over.set()
        for writer in writers:
            writer.join()
    finally:
        sys.setswitchinterval(interval)
    rest = by_reason(take(counter, everything=True))
    assert writers[0].found + writers[1].found + rest == {None: 256 * EACH, Reason.NETWORK: 256 * EACH}
    assert counter.dropped == 0


def use_a_lot(counter: UseCounter) -> None:
    for _ in range(EACH):
        counter.accepted(TOKEN, NOW)
        counter.refused(TOKEN, Reason.NETWORK, NOW)


class Writer(threading.Thread):
    """Takes as fast as it can, and fails every third time."""

    def __init__(self, counter: UseCounter, over: threading.Event) -> None:
        super().__init__()
        self.counter, self.over, self.found = counter, over, Counter()

    def run(self) -> None:
        turn = 0
        while not self.over.is_set():
            turn += 1
            with suppress(RuntimeError), self.counter.taken(NOW) as uses:
                if turn % 3 == 0:
                    raise RuntimeError
                self.found += by_reason(uses)


def by_reason(uses: Uses) -> Counter[Reason | None]:
    found = Counter()
    for each in uses.counts:
        found[each.reason] += each.count
    return found
