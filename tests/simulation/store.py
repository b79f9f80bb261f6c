"""The store that all servers share: every change takes the next revision in its own transaction.

A state is never changed: each transaction makes the next one of the one before, and the last states are
kept, so that a mistake can answer from an old one.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from gatepass.interfaces import Followed
from gatepass.model.change import Change, ChangeKind
from gatepass.model.presented import PresentedToken
from gatepass.model.rights import FULL_ACCESS, Rights
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict
from gatepass.services.judge_elsewhere import Judged
from simulation.world import World

BOUND = 5.0
"""Seconds: the product's default."""


class Row(NamedTuple):
    """A token."""

    owner: UUID
    digest: bytes


@dataclass
class State:
    """All that is stored at one revision."""

    epoch: int = 1
    head: int = 0
    enabled: bool = True
    tokens: dict[UUID, Row] = field(default_factory=dict)
    dead: frozenset[UUID] = frozenset()
    """Tombstones: tokens that were deleted, also such as never were."""
    off: frozenset[UUID] = frozenset()
    """Owners that are disabled."""
    rights: dict[UUID, Rights] = field(default_factory=dict)
    """What the tokens of an owner may do."""
    changes: tuple[Change, ...] = ()
    """The last ones."""
    events: tuple[tuple[str, str, str], ...] = ()

    def judge(self, presented: PresentedToken) -> Verdict:
        """Judge a token, as `judge_token` does."""
        row = self.tokens.get(presented.id)
        if presented.id in self.dead:
            return Rejected(Reason.DELETED, presented.id)
        if row is None or row.digest != presented.digest:
            return Rejected(Reason.UNKNOWN)
        if row.owner in self.off:
            return Rejected(Reason.OWNER_DISABLED, presented.id)
        if not self.enabled:
            return Rejected(Reason.FEATURE_OFF, presented.id)
        return Accepted(presented.id, row.owner, str(row.owner), None, self.rights.get(row.owner, FULL_ACCESS))


Work = Callable[[State], Change | None]
"""Changes the state that it is given, and says what kind of change that was; None: refused, nothing changed."""


class Store:
    """One database, its standby, and nobody else's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.state = State()
        self.past: list[tuple[float, State]] = [(0.0, self.state)]
        self.is_down = False
        self._waiting: list[Callable[[], None]] = []

    def write(self, work: Work) -> tuple[int, int] | None:
        """Commit a change; return its epoch and revision, None if it was refused."""
        state = copy(self.state)
        change = work(state)
        if change is None:
            return None
        state.head += 1
        state.changes += (Change(state.head, change.kind, change.subject_id),)
        self.put(state)
        return state.epoch, state.head

    def put(self, state: State) -> None:
        """Make a state the present one, and tell those who wait for one."""
        self.state = state
        self.past.append((self.world.now, state))
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each()

    def when_changed(self, do: Callable[[], None]) -> None:
        """Call `do` once at the next change."""
        self._waiting.append(do)

    def follow(self, after: int, epoch: str) -> Followed:
        """Return what changed, as `follow_changes` does."""
        state = self.state
        found = [each for each in state.changes if each.revision > after]
        known = epoch == str(state.epoch) and after <= state.head and len(found) == state.head - after
        return Followed(str(state.epoch), state.head, found if known else None, BOUND)

    def judge(self, presented: Sequence[PresentedToken]) -> Judged:
        """Judge tokens at one moment, as `judge_elsewhere` does."""
        state = self.state
        return Judged(str(state.epoch), state.head, [state.judge(each) for each in presented])

    def trim(self, keep: int) -> None:
        """Forget all but the last changes."""
        self.state.changes = self.state.changes[max(0, len(self.state.changes) - keep) :]

    def fail_over(self, seconds: float) -> None:
        """Let the standby take over after so long, in another epoch."""
        if not self.is_down:
            self.is_down = True
            self.world.at(seconds, self._promote)

    def _promote(self) -> None:
        state = copy(self.standby())
        state.epoch = self.state.epoch + 1
        self.is_down = False
        self.put(state)

    def standby(self) -> State:
        """Return what the standby has: all that was acknowledged, for a commit waits for it."""
        return self.state


def create(token: UUID, row: Row) -> Work:
    """Create a token unless its owner is off, the feature is off, or it was deleted before it came."""

    def work(state: State) -> Change | None:
        if token in state.dead or token in state.tokens or not may_create(state, row.owner):
            return None
        state.tokens = {**state.tokens, token: row}
        state.events += (("token.created", str(token), str(row.owner)),)
        return Change(0, ChangeKind.TOKEN, token)

    return work


def may_create(state: State, owner: UUID) -> bool:
    """Tell whether somebody may create tokens."""
    return state.enabled and owner not in state.off


def delete(token: UUID) -> Work:
    """Delete a token."""

    def work(state: State) -> Change | None:
        if token in state.tokens and token not in state.dead:
            state.events += (("token.deleted", str(token), str(state.tokens[token].owner)),)
        state.dead |= {token}
        return Change(0, ChangeKind.TOKEN, token)

    return work


def switch(owner: UUID, *, on: bool) -> Work:
    """Disable an owner, or enable them."""

    def work(state: State) -> Change | None:
        if on != (owner in state.off):
            return None
        state.off = state.off - {owner} if on else state.off | {owner}
        state.events += ((f"person.{'enabled' if on else 'disabled'}", str(owner), str(owner)),)
        return Change(0, ChangeKind.OWNER, owner)

    return work


def narrow(owner: UUID, rights: Rights) -> Work:
    """Give the tokens of an owner other rights."""

    def work(state: State) -> Change | None:
        state.rights = {**state.rights, owner: rights}
        return Change(0, ChangeKind.OWNER, owner)

    return work


def set_feature(*, on: bool) -> Work:
    """Switch tokens on or off."""

    def work(state: State) -> Change | None:
        state.enabled = on
        return Change(0, ChangeKind.EVERYTHING)

    return work
