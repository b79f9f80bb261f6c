"""What ties a store to the revocation journal, which is kept outside of it."""

from typing import Protocol

from gatepass.model.journal import JournalMark


class JournalRepository(Protocol):
    """How far the database has followed the revocation journal, which is kept outside of it."""

    def find(self) -> JournalMark | None:
        """Return the mark, None before a journal began."""
        ...

    def save(self, mark: JournalMark) -> None:
        """Replace the mark; it goes with the transaction."""
        ...
