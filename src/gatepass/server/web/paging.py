"""Pages of a list: newer and older, the newest and the oldest, each at the same cost."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gatepass.interfaces import Page

T = TypeVar("T")
ROWS = 50


@dataclass(frozen=True, slots=True)
class Paging(Generic[T]):
    """The rows to show, newest first, and the keys that lead on."""

    rows: Sequence[T]
    newer: str | None
    """`before` of the page of newer rows, None on the first page."""
    older: str | None
    """`after` of the page of older rows, None on the last page."""
    query: Mapping[str, str]
    """What else the links have to carry."""

    @property
    def is_whole(self) -> bool:
        """Tell whether this one page is all there is."""
        return self.newer is None and self.older is None


def paged(
    query: Mapping[str, str],
    load: Callable[[Page], Sequence[T]],
    *,
    key: Callable[[T], Any],
    parse: Callable[[str], Any],
    first: Any,
    kept: Mapping[str, str],
) -> Paging[T]:
    """Load the page that `after`, `before` or `end` of the query ask for.

    `parse` reads a key, `first` lies below every key, `kept` goes into the links. One row more than
    shown is loaded, to know whether it goes on.
    """
    after, before = (_edge(query, name, parse) for name in ("after", "before"))
    if "end" in query:
        before = first
    rows = load(Page(limit=ROWS + 1, after=None if before is not None else after, before=before, newest_first=True))
    more = len(rows) > ROWS
    if before is not None:
        rows = rows[1:] if more else rows
        newer, older = more, "end" not in query
    else:
        rows = rows[:ROWS]
        newer, older = after is not None, more
    return Paging(
        rows,
        newer=str(key(rows[0])) if newer and rows else None,
        older=str(key(rows[-1])) if older and rows else None,
        query={name: value for name, value in kept.items() if value},
    )


def chosen(query: Mapping[str, str], name: str, choices: Container[str]) -> str:
    """Return which of a few words a filter of a list says; `all` for any other."""
    word = query.get(name, "all")
    return word if word in choices else "all"


def _edge(query: Mapping[str, str], name: str, parse: Callable[[str], Any]) -> Any:
    """Return the key in the query; None, which is the first page, for one that nobody can read."""
    try:
        return parse(query[name])
    except (KeyError, ValueError):
        return None
