"""A verifier that holds something open: a store, or connections and threads. Close it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

from gatepass.interfaces.verification import ChangeFeed, VerdictSource
from gatepass.verifier.use_sender import UseSender, UseThread
from gatepass.verifier.verifier import Verifier


class OpenVerifier(Verifier, ABC):
    """What `open_verifier` returns. A thread of its own hands on what was used."""

    def __init__(self, source: VerdictSource, feed: ChangeFeed, uses: UseSender) -> None:
        """Judge by `source` and `feed`; what is counted goes to `uses`."""
        self.uses = uses
        super().__init__(source, feed, uses=uses.counter)
        self._sending = UseThread(uses)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def check_ready(self) -> None:
        """Raise Unavailable unless tokens can be looked up and judged."""

    def close(self) -> None:
        """Let go of everything. Raises Unavailable if the last uses could not be written."""
        self._sending.close()
