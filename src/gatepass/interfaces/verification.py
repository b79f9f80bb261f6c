"""What verification needs of whatever keeps the tokens."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from gatepass.model.change import Change
from gatepass.model.presented import PresentedToken
from gatepass.model.rights import Rights
from gatepass.model.verdict import Verdict


class Verification(NamedTuple):
    """All that judging one token needs, read at one moment, and no more: it is read at each look-up."""

    mac: bytes
    """Empty after deletion."""
    pepper: int
    is_revoked: bool
    expires_at: datetime | None
    rights: Rights
    owner_id: UUID
    owner_name: str
    """The owner's sign-in name, as it was typed."""
    owner_is_disabled: bool
    owner_is_deleted: bool
    enabled: bool
    """Whether tokens are switched on."""


class Head(NamedTuple):
    """How far the changes in a database have come, and in which history of it."""

    revision: int
    epoch: str
    """Another one after another database, a restored one or a promoted standby was put in place."""


class Verifications(NamedTuple):
    """What was found for many tokens, all read at one moment."""

    found: Mapping[UUID, Verification]
    """Those that have a record."""
    head: Head | None
    """How far the changes had come at that moment; None where `words` tell it."""


class VerdictSource(Protocol):
    """Where verdicts come from that are not in memory.

    A verdict given here depends on neither the time nor the request: an accepted token may have
    expired, and its rights are still to be held against what is asked. Both raise Unavailable when
    what lies behind is out of reach: an outage is never a verdict.
    """

    def peek(self, presented: PresentedToken) -> Verdict | None:
        """Return the verdict if that takes microseconds, None if it must be fetched. Never blocks."""
        ...

    def fetch(self, presented: Sequence[PresentedToken]) -> Sequence[Verdict]:
        """Return the verdicts of many tokens, in their order. May block."""
        ...


class ChangeFeed(Protocol):
    """Tells what has changed since a verdict was read.

    `words` are two numbers, `started` and `finished`, that any process of the host can read at any
    time. A writer raises `started` to the revision of its change before it commits, and `finished`
    to the same after; while they differ nothing may be answered from memory.
    """

    @property
    def words(self) -> Sequence[int]:
        """Return `(started, finished)` as they are at each look, in memory that all writers share."""
        ...

    def changes_after(self, revision: int) -> Sequence[Change] | None:
        """Return the committed changes after `revision`, oldest first; None if some are not known any more."""
        ...
