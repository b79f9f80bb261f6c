"""Where everything is kept: the store, which opens transactions and is asked by verification."""

from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from gatepass.interfaces.stored import Transaction
from gatepass.interfaces.verification import ChangeFeed, Verification


class Store(ChangeFeed, Protocol):
    """Where everything is kept.

    A store is safe to use from any thread. What a `write` block did is durable when the block has
    been left, and did not happen at all if it was left by an exception.
    """

    def read(self) -> AbstractContextManager[Transaction]:
        """Open a snapshot for reading."""
        ...

    def write(self) -> AbstractContextManager[Transaction]:
        """Open the one transaction that may change things; others wait, then get Unavailable."""
        ...

    def find_verification(self, token_id: UUID) -> Verification | None:
        """Return what judging a token needs, in one look-up; None if there is no such record.

        The owner may be a deleted user, unlike anywhere else.
        """
        ...

    def check(self) -> None:
        """Return if the store answers, raise Unavailable if it does not."""
        ...

    def close(self) -> None:
        """Let go of everything held open."""
        ...
