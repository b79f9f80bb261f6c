"""Where everything is kept: the store, which opens transactions and is asked by verification."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from gatepass.interfaces.stored import Transaction
from gatepass.interfaces.verification import ChangeFeed, Verification, Verifications


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

    def write_uses(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that counts uses of tokens, or notes who follows, and does nothing else.

        Where the database can, it neither waits for the one that changes things nor makes that wait.
        """
        ...

    @property
    def answers_inline(self) -> bool:
        """Tell whether `find_verification` takes microseconds and can be asked anywhere; else it may block."""
        ...

    def find_verification(self, token_id: UUID) -> Verification | None:
        """Return what judging a token needs, in one look-up; None if there is no such record.

        The owner may be a deleted user, unlike anywhere else.
        """
        ...

    def find_verifications(self, token_ids: Iterable[UUID]) -> Verifications:
        """Return the same for many tokens, in one look-up where the database can."""
        ...

    def check(self) -> None:
        """Return if the store answers, raise Unavailable if it does not."""
        ...

    def check_integrity(self) -> Sequence[str]:
        """Read everything and return what is wrong with it."""
        ...

    def close(self) -> None:
        """Let go of everything held open."""
        ...
