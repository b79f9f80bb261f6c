"""Words for instants and lifetimes, as people say them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gatepass.model.instant import iso
from gatepass.model.rights import Rights

_NAMED = 3
_DAY = timedelta(days=1)
# unit, its length, from which distance it is used: days up to 100, as people count them
_STEPS = (
    ("year", 365 * _DAY, 700 * _DAY),
    ("month", 30 * _DAY, 100 * _DAY),
    ("day", _DAY, 0.98 * _DAY),
    ("hour", _DAY / 24, timedelta(minutes=59.5)),
    ("minute", timedelta(minutes=1), timedelta(seconds=30)),
)
_PERIODS = ((3600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant for a page: relative words, exact UTC on hover."""

    iso: str
    exact: str
    words: str


def moment(instant: datetime, now: datetime) -> Moment:
    """Describe `instant` as seen from `now`."""
    return Moment(iso(instant), f"{long_date(instant)}:{instant:%S} UTC", relative(instant - now))


def long_date(instant: datetime) -> str:
    """Write `24 December 2026, 09:41`."""
    return f"{short_date(instant)}, {instant:%H:%M}"


def short_date(day: date) -> str:
    """Write `24 December 2026`."""
    return f"{day.day} {day:%B %Y}"


def day_date(instant: datetime) -> str:
    """Write `Thursday 24 December 2026`, as browsers do in British English."""
    return f"{instant:%A} {short_date(instant)}"


def relative(gap: timedelta) -> str:
    """Say how far away something is: `in 3 days`, `yesterday`, `just now`."""
    words = span(abs(gap))
    if not words:
        return "in a moment" if gap > timedelta() else "just now"
    if words == "1 day":
        return "tomorrow" if gap > timedelta() else "yesterday"
    return f"in {words}" if gap > timedelta() else f"{words} ago"


def span(gap: timedelta) -> str:
    """Say how long something takes: `3 days`, `1 hour`; nothing for less than half a minute."""
    for unit, size, least in _STEPS:
        if gap >= least:
            return _counted(round(gap / size), unit)
    return ""


def waiting_words(seconds: int) -> str:
    """Say how long to wait, never less than it takes: `40 seconds`, `2 minutes`."""
    return _counted(seconds, "second") if seconds < 60 else _counted(math.ceil(seconds / 60), "minute")


def period_words(seconds: int) -> str:
    """Say how long a period is, exactly: `15 minutes`, `90 seconds`, `1 second`."""
    size, unit = next(each for each in _PERIODS if seconds % each[0] == 0)
    return _counted(seconds // size, unit)


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def short_id(text: str) -> str:
    """Return the last twelve digits of an id: the first ones are its time, and alike."""
    return f"…{text[-12:]}"


def rights_words(rights: Rights) -> str:
    """Say in a line what a token may do: `jobs:run, *:read · from 10.0.0.0/8 and 2 more`."""
    return " · ".join(rights_parts(**rights.lists()))


def rights_parts(
    scopes: Sequence[str] | None, allowed_networks: Sequence[str] | None, audience: Sequence[str] | None
) -> Iterator[str]:
    """Say what a token may do, from where and with whom, each briefly."""
    yield "Full access" if scopes is None else _few(scopes) or "No scopes"
    if allowed_networks is not None:
        yield f"from {_few(allowed_networks)}"
    if audience is not None:
        yield f"for {_few(audience)}"


def _few(names: Sequence[str]) -> str:
    """Name the first of many, and say how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def browser_name(user_agent: str | None) -> str:
    """Guess a name for a browser from what it says of itself, good enough to tell one's own apart."""
    agent = user_agent or ""
    browsers = (
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in agent), "Unknown browser")
    system = next((name for mark, name in systems if mark in agent), "")
    return f"{browser} on {system}" if system else browser
