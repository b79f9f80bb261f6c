"""A dict that can take its changes back, and the part of its keys that a page shows."""

import operator
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from gatepass.interfaces import Page

K = TypeVar("K")
V = TypeVar("V")


class Table(Generic[K, V]):
    """A dict that can take its changes back."""

    def __init__(self, undo: list[Callable[[], None]]) -> None:
        self.rows: dict[K, V] = {}
        self._undo = undo

    def put(self, key: K, row: V) -> None:
        if key in self.rows:
            old = self.rows[key]
            self._undo.append(lambda: self.rows.__setitem__(key, old))
        else:
            self._undo.append(lambda: self.rows.__delitem__(key))
        self.rows[key] = row

    def drop(self, key: K) -> None:
        old = self.rows.pop(key)
        self._undo.append(lambda: self.rows.__setitem__(key, old))


def cut(keys: Iterable[Any], page: Page) -> list[Any]:
    """Return the part of `keys` (sorted) that a page shows."""
    found = list(keys)
    beyond = operator.gt
    if page.newest_first:
        found.reverse()
        beyond = operator.lt
    if page.before is not None:
        return [key for key in found if beyond(page.before, key)][-page.limit :]
    if page.after is not None:
        found = [key for key in found if beyond(key, page.after)]
    return found[page.offset : page.offset + page.limit]
