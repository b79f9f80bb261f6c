"""The change feed in SQL."""

from collections.abc import Sequence
from uuid import UUID

from gatepass.model.change import Change, ChangeKind
from gatepass.stores.sql.connection import Connection, id_bytes, identity
from gatepass.stores.sql.verification import find_head


class SqlChanges:
    """The change repository over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection
        self.latest: int | None = None
        """The revision of the last change that this transaction made."""
        self.made: list[Change] = []

    def add(self, kind: ChangeKind, subject_id: UUID | None = None) -> None:
        """Append a change."""
        # A sequence would become visible out of the order of commits; a counter in a row cannot.
        row = self._db.one("UPDATE counters SET value = value + 1 WHERE name = 'changes' RETURNING value")
        self.latest = int(row[0]) if row else 0
        self.made.append(Change(self.latest, kind, subject_id))
        self._db.run(
            "INSERT INTO changes (revision, kind, subject_id) VALUES (:revision, :kind, :subject)",
            revision=self.latest,
            kind=kind.value,
            subject=id_bytes(subject_id),
        )

    def head(self) -> int:
        """Return the revision of the last change."""
        row = self._db.one("SELECT value FROM counters WHERE name = 'changes'")
        return int(row[0]) if row else 0

    def epoch(self) -> str:
        """Return which history of changes this is."""
        row = self._db.one(
            "SELECT (SELECT value FROM counters WHERE name = 'identity'), (SELECT restores FROM journal)"
        )
        identity, restores = row or (None, None)
        return f"{identity or 0}.{restores or 0}"

    def list_after(self, revision: int) -> Sequence[Change] | None:
        """Return the changes after `revision`."""
        rows = self._db.all(
            "SELECT revision, kind, subject_id FROM changes WHERE revision > :revision ORDER BY revision",
            revision=revision,
        )
        if len(rows) != self.head() - revision:
            return None
        return [Change(number, ChangeKind(kind), identity(subject)) for number, kind, subject in rows]

    def prune(self, *, keep: int) -> None:
        """Forget all but the last changes."""
        self._db.run(
            "DELETE FROM changes WHERE revision <= (SELECT value FROM counters WHERE name = 'changes') - :keep",
            keep=keep,
        )


class PostgresChanges(SqlChanges):
    """The same where a history can also change with the server."""

    def epoch(self) -> str:
        """Return which history of changes this is. Raises Unavailable on a standby."""
        return find_head(self._db).epoch
