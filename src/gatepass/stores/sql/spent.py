"""What was taken once, in SQL."""

from datetime import datetime

from gatepass.model.instant import to_milliseconds
from gatepass.stores.sql.connection import Connection


class SqlSpent:
    """The repository over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def add(self, key: bytes, until: datetime) -> bool:
        """Take it, if nobody did."""
        return (
            self._db.run(
                "INSERT INTO spent (key, until) VALUES (:key, :until) ON CONFLICT (key) DO NOTHING",
                key=key,
                until=to_milliseconds(until),
            )
            == 1
        )

    def prune(self, before: datetime) -> None:
        """Forget what ended."""
        self._db.run("DELETE FROM spent WHERE until < :before", before=to_milliseconds(before))
