"""What is looked up at once is looked up together, and never with a query that began before the question."""

import threading
from collections.abc import Callable, Collection
from uuid import UUID

import pytest

from gatepass.errors import Unavailable
from gatepass.model.secret import generate_id
from gatepass.stores.sql.gathering import Gathering
from gatepass.testing.fakes import START
from support.waiting import poll


class Database:
    """Answers with the ids it was asked for; waits until it may."""

    def __init__(self) -> None:
        self.queries: list[set[UUID]] = []
        self.may_answer = threading.Event()

    def look_up(self, ids: Collection[UUID]) -> set[UUID]:
        self.queries.append(set(ids))
        if not self.may_answer.wait(10):
            raise Unavailable("it fails")
        return set(ids)


def start(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_alone_a_look_up_is_made_at_once() -> None:
    database, token_id = Database(), generate_id(START)
    database.may_answer.set()
    gathering = Gathering(database.look_up, at_once=1, seconds=5)
    assert gathering.find([token_id]) == {token_id}
    assert database.queries == [{token_id}]


def test_those_who_come_while_one_is_under_way_share_the_next_one() -> None:
    database = Database()
    gathering = Gathering(database.look_up, at_once=1, seconds=5)
    ids = [generate_id(START) for _ in range(20)]
    found: dict[UUID, bool] = {}

    def ask(token_id: UUID) -> None:
        found[token_id] = token_id in gathering.find([token_id])

    threads = [start(lambda: ask(ids[0]))]
    poll(lambda: database.queries)
    threads += [start(lambda each=each: ask(each)) for each in ids[1:]]
    poll(lambda: gathering._next is not None and len(gathering._next.ids) == 19)
    database.may_answer.set()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(ids, True)
    assert [len(query) for query in database.queries] == [1, 19]


def test_the_same_token_is_asked_for_again_once_its_query_has_begun() -> None:
    """What was changed in between would not be in the answer that is on its way."""
    database, token_id = Database(), generate_id(START)
    gathering = Gathering(database.look_up, at_once=2, seconds=5)
    threads = [start(lambda: gathering.find([token_id]))]
    poll(lambda: len(database.queries) == 1)
    threads.append(start(lambda: gathering.find([token_id])))
    poll(lambda: len(database.queries) == 2)
    database.may_answer.set()
    for thread in threads:
        thread.join()


def test_a_failure_is_told_to_everybody_who_shares_it_and_the_next_one_is_tried_anew() -> None:
    fails = True

    def look_up(ids: Collection[UUID]) -> set[UUID]:
        if fails:
            raise Unavailable("it fails")
        return set(ids)

    gathering = Gathering(look_up, at_once=1, seconds=5)
    for _ in range(3):
        with pytest.raises(Unavailable, match="it fails"):
            gathering.find([generate_id(START)])
    fails = False
    assert len(gathering.find([generate_id(START)])) == 1


def test_whoever_gets_no_turn_in_time_is_told_so() -> None:
    database = Database()
    gathering = Gathering(database.look_up, at_once=1, seconds=0.1)
    thread = start(lambda: gathering.find([generate_id(START)]))
    poll(lambda: database.queries)
    with pytest.raises(Unavailable, match="too many look-ups"):
        gathering.find([generate_id(START)])
    assert len(database.queries) == 1
    database.may_answer.set()
    thread.join()
