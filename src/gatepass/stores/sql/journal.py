"""The mark of the revocation journal in SQL: one row."""

from uuid import UUID

from gatepass.model.journal import JournalMark
from gatepass.stores.sql.connection import Connection


class SqlJournal:
    """The repository of the mark over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def find(self) -> JournalMark | None:
        """Return the mark."""
        row = self._db.one("SELECT journal_id, number, size, chain, restores FROM journal")
        return JournalMark(UUID(bytes=row[0]), *row[1:]) if row else None

    def save(self, mark: JournalMark) -> None:
        """Replace the mark."""
        self._db.run(
            "INSERT INTO journal (sole, journal_id, number, size, chain, restores)"
            " VALUES (1, :journal, :number, :size, :chain, :restores)"
            " ON CONFLICT (sole) DO UPDATE SET journal_id = excluded.journal_id, number = excluded.number,"
            " size = excluded.size, chain = excluded.chain, restores = excluded.restores",
            journal=mark.journal_id.bytes,
            number=mark.number,
            size=mark.size,
            chain=mark.chain,
            restores=mark.restores,
        )
