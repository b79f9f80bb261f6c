"""The small picture of a token's uses: its bars and its words."""

import re
from datetime import timedelta

import pytest

from gatepass.model.secret import generate_id
from gatepass.model.use import DayCount, day_of
from gatepass.model.verdict import Reason
from gatepass.server.web.sparkline import Sparkline, sparklines
from gatepass.testing.fakes import START

NOW = START + timedelta(days=330, hours=9)  # 27 November 2026
TODAY = day_of(NOW)
TOKEN = generate_id(START)


def drawn(*counts: tuple[int, Reason | None, int]) -> Sparkline:
    """Draw counts given as (days ago, reason, count)."""
    found = sparklines([DayCount(TOKEN, TODAY - ago, reason, count) for ago, reason, count in counts], NOW)
    return found[TOKEN]


def bars(path: str) -> list[tuple[int, int, int]]:
    """Return (left, top, height) of each bar."""
    found = re.findall(r"M(\d+) (\d+)h2v(\d+)h-2z", path)
    assert "".join(f"M{x} {y}h2v{height}h-2z" for x, y, height in found) == path
    return [(int(x), int(y), int(height)) for x, y, height in found]


def test_a_bar_is_as_high_as_its_day_and_today_is_the_last() -> None:
    made = drawn((0, None, 100), (1, None, 50), (29, None, 1))
    assert bars(made.accepted) == [(0, 19, 2), (84, 11, 10), (87, 1, 20)]
    assert made.refused == ""


def test_refused_requests_stand_on_top_and_are_never_invisible() -> None:
    made = drawn((0, None, 10_000), (0, Reason.EXPIRED, 1), (1, Reason.EXPIRED, 5_000), (1, Reason.NETWORK, 5_000))
    assert bars(made.accepted) == [(87, 3, 18)]
    assert bars(made.refused) == [(84, 1, 20), (87, 1, 2)]


def test_every_bar_stays_in_the_box_and_on_the_line() -> None:
    made = drawn(*((ago, reason, (ago * 37 + 1) % 23) for ago in range(30) for reason in (None, Reason.SCOPE)))
    for _, top, height in (*bars(made.accepted), *bars(made.refused)):
        assert top >= 1
        assert top + height <= 21
    assert all(top + height == 21 for _, top, height in bars(made.accepted))


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([(0, None, 1)], "Used once in 30 days"),
        ([(0, None, 204), (15, None, 1000)], "Used 1,204 times in 30 days, most on 12 November"),
        ([(0, Reason.EXPIRED, 3)], "Not used in 30 days; 3 refused after it expired"),
        (
            [(3, None, 2), (0, Reason.DELETED, 1), (1, Reason.NETWORK, 1500)],
            "Used 2 times in 30 days; 1,500 refused from another network; 1 refused after it was deleted",
        ),
    ],
)
def test_the_words_say_what_the_bars_show(counts: list[tuple[int, Reason | None, int]], words: str) -> None:
    assert drawn(*counts).words == words


def test_what_is_older_than_the_picture_is_left_out() -> None:
    assert sparklines([DayCount(TOKEN, TODAY - 30, None, 1)], NOW) == {}
