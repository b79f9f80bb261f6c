"""Failed sign-ins in SQL."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from gatepass.model.instant import from_milliseconds, to_milliseconds
from gatepass.stores.sql.connection import Connection


class SqlFailures:
    """The repository of failed sign-ins over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def add(self, keys: Iterable[bytes], at: datetime) -> None:
        """Count one failure for each key."""
        for key in keys:
            self._db.run("INSERT INTO failures (key, at) VALUES (:key, :at)", key=key, at=to_milliseconds(at))

    def list(self, key: bytes, since: datetime) -> Sequence[datetime]:
        """Return the failures of a key, oldest first."""
        rows = self._db.all(
            "SELECT at FROM failures WHERE key = :key AND at > :since ORDER BY at",
            key=key,
            since=to_milliseconds(since),
        )
        return [from_milliseconds(row[0]) for row in rows]

    def forget(self, key: bytes) -> None:
        """Forget the failures of one key."""
        self._db.run("DELETE FROM failures WHERE key = :key", key=key)

    def prune(self, before: datetime) -> None:
        """Forget older failures."""
        self._db.run("DELETE FROM failures WHERE at < :before", before=to_milliseconds(before))
