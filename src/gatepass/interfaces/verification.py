"""What verification needs of whatever keeps the tokens."""

from collections.abc import Sequence
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


class Fetched(NamedTuple):
    """Verdicts that were looked up together, and how far changes had come."""

    verdicts: Sequence[Verdict]
    stamp: int | None
    """The number of the verifier's feed at which they were read, or that it had before; None: they must not be kept."""


class Followed(NamedTuple):
    """What a source of changes replies to one poll."""

    epoch: str
    """Which history this is: another one after another database, or a restored one, was put in place."""
    head: int
    """The revision of the last change that was committed when it replied."""
    changes: Sequence[Change] | None
    """Exactly the changes after the poll's `after` up to `head`; None if they are not known, or of another epoch."""
    bound: float
    """For how many seconds after the poll was sent what is in memory may be answered."""
    now: float | None = None
    """The source's wall clock when it replied, in seconds since 1970; None if it does not tell."""


class VerdictSource(Protocol):
    """Where verdicts come from that are not in memory.

    A verdict given here depends on neither the time nor the request: an accepted token may have
    expired, and its rights are still to be held against what is asked. Both raise Unavailable when
    what lies behind is out of reach: an outage is never a verdict.
    """

    def peek(self, presented: PresentedToken) -> Verdict | None:
        """Return the verdict if that takes microseconds, None if it must be fetched. Never blocks."""
        ...

    def fetch(self, presented: Sequence[PresentedToken]) -> Fetched:
        """Return the verdicts of many tokens, in their order, all read at one moment. May block."""
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


class ChangeSource(Protocol):
    """Where a verifier hears of changes that are made elsewhere: a server, or a database on another host."""

    def follow(self, after: int, epoch: str, *, wait: float) -> Followed:
        """Return what was committed after revision `after`, as soon as there is any; else after `wait` seconds.

        To ask is to say that everything up to `after` of `epoch` counts here. Another epoch than the
        source's, such as the empty one at first, is answered at once. Raises Unavailable,
        NotAuthenticated if the source does not know who asks (any more).
        """
        ...

    def stop_following(self) -> None:
        """Let a poll that is under way in another thread end soon."""
        ...
