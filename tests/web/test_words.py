"""Words for instants and waits."""

from datetime import timedelta

import pytest

from gatepass.server.web.words import period_words, relative, span, waiting_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (61, "2 minutes"), (120, "2 minutes"), (900, "15 minutes")],
)
def test_a_wait_is_never_said_shorter_than_it_is(seconds: int, words: str) -> None:
    assert waiting_words(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (30, "30 seconds"), (60, "1 minute"), (90, "90 seconds"), (900, "15 minutes"), (3600, "1 hour")],
)
def test_a_period_is_said_exactly(seconds: int, words: str) -> None:
    assert period_words(seconds) == words


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (timedelta(days=180), "in 6 months"),
        (timedelta(days=-100), "3 months ago"),
        (timedelta(days=-99), "99 days ago"),
        (timedelta(days=1), "tomorrow"),
        (timedelta(days=-1), "yesterday"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(seconds=20), "in a moment"),
        (timedelta(), "just now"),
    ],
)
def test_a_distance_is_said_as_people_count(gap: timedelta, words: str) -> None:
    assert relative(gap) == words


def test_a_span_of_a_day_is_said_as_a_number() -> None:
    assert span(timedelta(days=1)) == "1 day"
