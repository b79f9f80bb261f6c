"""The hosts that a URL names: the one that was well last is asked first, one that was not, last.

libpq goes through them in their order each time. So a host that swallows everything costs two seconds for each
connection; and nobody comes past a primary that was deposed and lives on, which takes connections and confirms nothing.
"""

import threading
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from gatepass.errors import Unavailable
from gatepass.stores.sql.postgres_connection import WORKING, Patience, RawConnection, connect, parameters_of


class Hosts:
    """What all connections of a process know of them. Safe in any thread."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        """Begin in the order of `parameters`, which are as `parameters_of` returns them."""
        self._order = list(_apart(parameters))
        self._turn = 0
        self._lock = threading.Lock()

    def connect(self, *, patience: Patience = WORKING, prepares: bool = False) -> RawConnection:
        """Open a connection to the first of them that will do; from now on that is asked first. Raises Unavailable."""
        troubles = []
        for host in self._order.copy():
            try:
                raw = connect(host, patience=patience, prepares=prepares)
            except Unavailable as error:
                troubles.append(error)
            else:
                raw.turn = self._reached(host)
                return raw
        raise troubles[-1]

    def _reached(self, host: Mapping[str, Any]) -> int:
        with self._lock:
            if host is not self._order[0]:
                self._order.remove(host)
                self._order.insert(0, host)
                self._turn += 1
            return self._turn

    def doubt(self, raw: RawConnection) -> None:
        """Ask the host of a connection last from now on: it was lost, or a commit was not confirmed there."""
        with self._lock:
            if self.is_current(raw):
                self._order.append(self._order.pop(0))
                self._turn += 1

    def is_current(self, raw: RawConnection) -> bool:
        """Tell whether a connection leads where new ones do, and nothing was in doubt there since it was made."""
        return raw.turn == self._turn


@cache
def hosts_of(url: str) -> Hosts:
    """Return what this process knows of the hosts in a URL. Raises BadConfiguration if it cannot be read."""
    return Hosts(parameters_of(url))


def _apart(parameters: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return parameters for each host by itself."""
    lists = {name: str(parameters[name]).split(",") for name in ("host", "hostaddr", "port") if parameters.get(name)}
    if len(lists.get("port", ())) == 1:
        del lists["port"]  # it is that of all
    if len({len(each) for each in lists.values()}) != 1:
        return [parameters]  # whatever this is, libpq says so
    return [{**parameters, **dict(zip(lists, each, strict=True))} for each in zip(*lists.values(), strict=True)]
