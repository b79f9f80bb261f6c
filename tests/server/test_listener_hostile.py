"""Malformed and hostile requests at a real listener: each is answered or closed as docs/reference/listener.md says."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.hostile import CASES, TIMES, Case
from support.listener import Listener, statuses
from support.server import Server

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.create_token()[0]


@pytest.fixture(scope="module")
def listener(server: Server) -> Iterator[Listener]:
    with Listener(server.data) as running:
        yield running


def result(listener: Listener, case: Case, token: str) -> list[int]:
    answer = listener.talk(*case.sent(token), pause=case.pause, half_close=case.half_close)
    return statuses(answer)


@pytest.mark.parametrize("case", [case for case in CASES if not case.slow], ids=lambda case: case.name)
def test_it_is_answered_as_documented(listener: Listener, token: str, case: Case) -> None:
    assert result(listener, case, token) == list(case.expected)
    assert listener.status(bearer=token) == 200


def test_what_takes_too_long_is_closed(listener: Listener, token: str) -> None:
    with ThreadPoolExecutor(len(TIMES)) as threads:
        found = list(threads.map(lambda case: (case.name, result(listener, case, token)), TIMES))
    assert found == [(case.name, list(case.expected)) for case in TIMES]


def test_the_corpus_has_sixty_cases_and_more_with_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


def test_an_error_says_that_it_closes_and_has_an_id_and_no_body(listener: Listener) -> None:
    answer = listener.talk(b"GARBAGE\r\n\r\n")
    assert b"connection: close\r\nx-request-id: " in answer
    assert b"content-length: 0\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")
