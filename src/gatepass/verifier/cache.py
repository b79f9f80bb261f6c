"""What a verifier remembers: verdicts by digest, bounded by count, and only while nothing has changed.

A verdict is kept with the revision at which it was read. Where the change feed's words are equal and
at that revision, it is good as it stands. Where they have moved on, the changes since then are read
once, and each verdict is held against them when it is asked for next. See
`docs/explanation/verification.md`.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from itertools import islice

from gatepass.model.change import Change, ChangeKind
from gatepass.model.rights import FULL_ACCESS
from gatepass.model.verdict import Accepted, Rejected, Verdict

TYPE_CHECKING = False  # as in model/change.py
if TYPE_CHECKING:  # as in verifier.py
    from uuid import UUID

    from gatepass.interfaces.verification import ChangeFeed
    from gatepass.verifier.uses import Use

MOST_REFUSALS = 10_000
REFUSAL_SECONDS = 60.0
_MOST_CHANGES = 10_000
_UNREAD = -1
_SHARED_BY_ONE = 3


class Entry(Accepted):
    """An accepted token in memory, with the revision at which that was known to be so."""

    __slots__ = ("block", "revision", "use")

    def __init__(self, verdict: Accepted, revision: int, shared: dict[Hashable, Hashable]) -> None:
        """Copy `verdict`; what equals something in `shared` is that very object, and what is new there is added."""
        self.number, self.ends = verdict.number, verdict.ends
        for name in ("owner_id", "owner_name", "rights"):
            value = getattr(verdict, name)
            setattr(self, name, shared.setdefault(value, value))
        self.revision = revision
        self.block: bytes | None = None
        """Room for the answer that a door makes of it, made once."""
        self.use: Use | None = None
        """Room for where its uses are counted, see `UseCounter.hit`."""


class _Refusal:
    __slots__ = ("revision", "until", "verdict")

    def __init__(self, verdict: Rejected, revision: int, until: float) -> None:
        self.verdict, self.revision, self.until = verdict, revision, until


def _nothing_shared() -> dict[Hashable, Hashable]:
    return {FULL_ACCESS: FULL_ACCESS}


class Cache:
    """Two generations of accepted tokens, and refused ones for a short time. Safe in any thread.

    Accepted ones fill the young generation; when it is half of `most`, the old one is dropped and the
    young one becomes it. A hit in the old one moves to the young. So at least the last `most / 2`
    tokens used are there, and a hit costs no bookkeeping.
    """

    def __init__(self, feed: ChangeFeed, *, most: int) -> None:
        """Begin empty: what an earlier process knew counts for nothing."""
        self.young: dict[bytes, Entry] = {}
        self.words: Sequence[int] = feed.words
        self._old: dict[bytes, Entry] = {}
        self._shared = _nothing_shared()
        """What entries have in common: their owners' ids and names, and rights."""
        self._refusals: dict[bytes, _Refusal] = {}
        self._feed = feed
        self._half = max(1, most // 2)
        self._lock = threading.Lock()
        self._applied = _UNREAD
        """All changes up to this revision are in `_changed` or below `_floor`."""
        self._changed: dict[UUID, int] = {}
        """The revision of the last change of a token or an owner, the oldest first."""
        self._floor = 0
        """Whatever was read before this revision is not good any more."""
        self._newest = 0
        """The latest stamp that anything was kept with."""
        self._least = 0
        """What was read before this is not kept: something newer may have been there and made room."""

    def __len__(self) -> int:
        return len(self.young) + len(self._old) + len(self._refusals)

    def stamp(self) -> int | None:
        """Return the revision that what is read from now on may be kept with; None while a change is under way."""
        started = self.words[0]
        return started if self.words[1] == started else None

    def find(self, digest: bytes, now: float) -> Entry | Rejected | None:
        """Return what is remembered of a token and still holds; None if it must be looked up.

        An entry may have expired. Raises Unavailable if changes cannot be read.
        """
        entry = self.young.get(digest)
        if entry is not None and entry.revision == self.stamp():
            return entry
        if entry is not None or digest in self._old:
            with self._lock:
                found = self._held(digest)
            if found is not None:
                return found
        refusal = self._refusals.get(digest)
        if refusal is None or refusal.until <= now or refusal.revision != self.stamp():
            return None  # a refusal is cheap to find again: any change at all ends it
        return refusal.verdict

    def has_accepted(self, digest: bytes, number: int) -> bool:
        """Tell whether an acceptance of the token `number` is kept under `digest`, whether it holds or not."""
        kept = self.young.get(digest) or self._old.get(digest)
        return kept is not None and kept.number == number

    def put(self, digest: bytes, verdict: Verdict, *, stamp: int | None, now: float) -> Entry | Rejected:
        """Remember a verdict that was read at `stamp` or after it, if no change can have overtaken it; return it.

        Raises Unavailable if changes cannot be read.
        """
        if stamp is None:
            with self._lock:
                # SECURITY: what is there of this token may be older, and must not count again after this.
                self._drop(digest)
                return verdict if isinstance(verdict, Rejected) else Entry(verdict, _UNREAD, self._sharing())
        with self._lock:
            head = self.stamp()
            if head is not None:
                self._catch_up(head)
            # SECURITY: also while nothing may be answered from memory. What is there of this token is older, and a
            # lease that is renewed by an old reply would let it count again.
            known_to = stamp if head is None else head
            if isinstance(verdict, Rejected):
                if known_to <= stamp and not self._is_overtaken(digest, stamp):
                    self._refuse(digest, _Refusal(verdict, stamp, now + REFUSAL_SECONDS))
                return verdict
            entry = Entry(verdict, stamp, self._sharing())
            # SECURITY: a look-up that a change has overtaken may have seen the state before it.
            if self._last_change(entry) <= stamp and not self._is_overtaken(digest, stamp):
                entry.revision = max(stamp, known_to)
                self._keep(digest, entry)
            return entry

    def _sharing(self) -> dict[Hashable, Hashable]:
        """Return what is shared, emptied when it holds more than a generation can have."""
        if len(self._shared) > _SHARED_BY_ONE * self._half:
            self._shared = _nothing_shared()
        return self._shared

    def _is_overtaken(self, digest: bytes, stamp: int) -> bool:
        """Tell whether something newer is known of the token, or was and had to make room. Holds the lock.

        Only a source elsewhere can be ahead of the changes we heard of, and its replies overtake each other.
        """
        known = self.young.get(digest) or self._old.get(digest) or self._refusals.get(digest)
        if stamp < self._least or (known is not None and stamp < known.revision):
            return True
        self._newest = max(self._newest, stamp)
        return False

    def _refuse(self, digest: bytes, refusal: _Refusal) -> None:
        """Remember a refusal, and that only. Holds the lock."""
        self._drop(digest)
        if len(self._refusals) >= MOST_REFUSALS:
            self._refusals.clear()
            self._least = self._newest
        self._refusals[digest] = refusal

    def _drop(self, digest: bytes) -> None:
        """Forget an accepted token. Holds the lock."""
        self.young.pop(digest, None)
        self._old.pop(digest, None)

    def _keep(self, digest: bytes, entry: Entry) -> None:
        """Put an entry into the young generation. Holds the lock."""
        if len(self.young) >= self._half and digest not in self.young:
            self._old, self.young, self._shared = self.young, {}, _nothing_shared()
            self._least = self._newest
        self.young[digest] = entry

    def _held(self, digest: bytes) -> Entry | None:
        """Return the entry if nothing has changed that concerns it, and note that. Holds the lock."""
        head = self.stamp()
        if head is None:
            return None
        self._catch_up(head)
        entry = self.young.get(digest) or self._old.get(digest)  # catching up may have dropped it
        if entry is None or entry.revision < self._last_change(entry):
            return None
        entry.revision = max(entry.revision, head)  # it may have been read where more had happened than we heard of
        self._keep(digest, entry)
        return entry

    def _last_change(self, entry: Entry) -> int:
        """Return the revision of the last change that concerns a token. Holds the lock."""
        return max(self._changed.get(entry.token_id, 0), self._changed.get(entry.owner_id, 0), self._floor)

    def _catch_up(self, head: int) -> None:
        """Read the changes up to `head`, all of which are committed. Holds the lock."""
        if self._applied == head:
            return
        changes = self._feed.changes_after(self._applied) if 0 <= self._applied < head else None
        if not changes or changes[-1].revision < head:
            # A feed that forgot what we missed, or another database: nothing that is known counts.
            self.young, self._old, self._shared = {}, {}, _nothing_shared()
            self._refusals.clear()
            self._changed.clear()
            self._floor = self._applied = head
            self._newest = self._least = 0
            return
        for change in changes:
            if change.revision <= head:
                self._apply(change)
        self._applied = head

    def _apply(self, change: Change) -> None:
        if change.kind is ChangeKind.EVERYTHING or change.subject_id is None:
            self._floor = change.revision
            return
        if len(self._changed) >= _MOST_CHANGES:
            self._forget_older_half()
        self._changed.pop(change.subject_id, None)  # so that the oldest stay first
        self._changed[change.subject_id] = change.revision

    def _forget_older_half(self) -> None:
        """Make room for changes: what was not looked at since the forgotten ones is good no more. Holds the lock."""
        for subject_id in tuple(islice(self._changed, _MOST_CHANGES // 2)):
            self._floor = max(self._floor, self._changed.pop(subject_id))
