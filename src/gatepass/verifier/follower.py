"""Following a source of changes: a long poll that brings changes, renews the lease and acknowledges, in one.

`Follower` is the protocol and nothing else, `Poller` the loop that polls: no thread, no socket, no clock
of their own. `Following` is the thread that runs them. See `docs/explanation/revocation.md`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from gatepass.errors import GatepassError, NotAuthenticated, Unavailable
from gatepass.model.change import Change
from gatepass.verifier.lease import Lease, Moment

TYPE_CHECKING = False  # as in model/change.py
if TYPE_CHECKING:  # as in verifier.py
    from gatepass.interfaces.verification import ChangeSource, Followed

MOST_CHANGES = 10_000
"""So many changes are kept for whoever has not read them yet; who comes later drops what it knows."""

POLLS_A_BOUND = 5
"""The lease is renewed so often before it ends."""

MOST_SKEW = 2.0
"""So many seconds may this machine's wall clock differ from the source's: by it tokens end."""

_NEW_LIFE = 1 << 48
"""What revisions are counted on from, one more of it each time everything before is to be forgotten."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5


class Question:
    """One poll: what was applied so far, and when it was asked."""

    __slots__ = ("after", "epoch", "sent_at", "wait")

    def __init__(self, after: int, epoch: str, sent_at: Moment, wait: float) -> None:
        """Ask for the changes after `after` of `epoch`, empty if nothing is known; let it wait so many seconds."""
        self.after, self.epoch, self.sent_at, self.wait = after, epoch, sent_at, wait


class Follower:
    """What one process has heard of the changes at its source: the change feed of its verifier.

    The numbers that the verifier sees are revisions raised by a multiple of 2^48, more with each new
    life: a restart, another epoch, changes that were missed. So nothing from before is ever equal.
    """

    def __init__(self, lease: Lease) -> None:
        """Begin with nothing: not fresh, and the first poll says where the source stands."""
        self.words = lease
        self._lock = threading.Lock()
        self._changes: deque[Change] = deque(maxlen=MOST_CHANGES)
        self._base = 0
        self._epoch = ""
        self._applied = 0
        self._bound = 0.0
        self._asked: Question | None = None
        self.clocks_agree = True
        """Whether this machine may decide that a token has not ended yet."""

    def question(self) -> Question:
        """Return the next poll, to be sent now. It acknowledges all that `take` got before."""
        sent_at = self.words.clock.moment()
        self._asked = Question(self._applied, self._epoch, sent_at, self._bound / POLLS_A_BOUND)
        return self._asked

    def take(self, question: Question, found: Followed) -> None:
        """Take the reply to a poll; one that came too late, after another question, counts for nothing.

        Raises Unavailable if this machine's clock is wrong, or the source's: then nothing is answered from memory.
        """
        with self._lock:
            if question is not self._asked:
                return
            self._asked = None
            self._compare_clocks(question, found)
            if not self._goes_on(question, found):
                self._forget(found.epoch)
                self._applied = found.head
            else:
                self._append(found.changes or ())
            self._bound = found.bound
            # SECURITY: last. Whoever sees the new number must find every change up to it.
            self.words.renew(question.sent_at, self._base + self._applied, bound=found.bound)

    def bring(self, changes: Sequence[Change] | None, *, epoch: str) -> None:
        """Take changes that this process made itself in `epoch`, with all that came before them after `applied`.

        SECURITY: when this returns they count here, or nothing is answered from memory: whoever made them
        is told so next. If they do not follow on what is known (None: that cannot be told), the lease is
        over, and the poll under way, which may have been answered before them, renews nothing.
        """
        with self._lock:
            numbers = [each.revision for each in changes or ()]
            is_ours = bool(self._base and numbers) and epoch == self._epoch
            is_known = is_ours and numbers == list(range(numbers[0], numbers[-1] + 1))
            if not is_known or numbers[0] > self._applied + 1:
                self._asked = None
                self.words.end()
                return
            self._append(changes or ())
            self.words.advance(self._base + self._applied)

    @property
    def epoch(self) -> str:
        """Which history `applied` is of; empty at first."""
        return self._epoch

    @property
    def applied(self) -> int:
        """The revision up to which every change counts here."""
        return self._applied

    def lose(self) -> None:
        """Answer nothing from memory any more: the source does not know us."""
        with self._lock:  # so that no change of our own, taken at the same moment, revives it
            self._asked = None
            self.words.end()

    def _append(self, changes: Sequence[Change]) -> None:
        """Go on by changes without a gap, some of which may be known already. Holds the lock."""
        for each in changes:
            if each.revision > self._applied:
                self._changes.append(Change(self._base + each.revision, each.kind, each.subject_id))
                self._applied = each.revision

    def changes_after(self, revision: int) -> Sequence[Change] | None:
        """Return the changes after `revision`, oldest first; None if some are not known any more."""
        with self._lock:
            missed = self._base + self._applied - revision
            if not 0 <= missed <= len(self._changes):
                return None
            return list(islice(self._changes, len(self._changes) - missed, None))

    @property
    def life(self) -> int:
        """Which life this is: another one after everything was forgotten. Take it before asking the source."""
        return self._base

    def number_of(self, epoch: str, revision: int, *, life: int | None = None) -> int | None:
        """Return the number of a revision that the source read something at.

        None if it is of another epoch, or was asked for in another `life`: then it must not be kept.
        """
        with self._lock:
            is_ours = epoch == self._epoch and self._base and life in {None, self._base}
            return self._base + revision if is_ours else None

    def _compare_clocks(self, question: Question, found: Followed) -> None:
        """SECURITY: with a clock that is behind, a token would be accepted after its end."""
        received_at = self.words.clock.wall()
        earliest, latest = question.sent_at[1] - MOST_SKEW, received_at + MOST_SKEW
        self.clocks_agree = found.now is None or earliest <= found.now <= latest
        if not self.clocks_agree and found.now is not None:
            self.words.end()
            raise Unavailable(f"this machine's clock and the source's differ by {abs(received_at - found.now):.1f} s")

    def _goes_on(self, question: Question, found: Followed) -> bool:
        """Tell whether the reply brings exactly what happened since the question's `after`."""
        if not self._base or found.epoch != self._epoch or found.changes is None:
            return False
        # SECURITY: without a gap, whatever the source says.
        return [each.revision for each in found.changes] == list(range(question.after + 1, found.head + 1)) and (
            question.after <= found.head
        )

    def _forget(self, epoch: str) -> None:
        """Let nothing count that was known before."""
        self._base += _NEW_LIFE
        self._epoch = epoch
        self._changes.clear()


class Poller:
    """Polls a source for a follower, one poll after the other. No thread, no clock of its own."""

    def __init__(self, follower: Follower, source: ChangeSource, closing: threading.Event) -> None:
        """Poll `source` until `closing` is set; it is what is waited for between polls that fail."""
        self.trouble: GatepassError | None = None
        """Why the last poll failed, None if it did not."""
        self._follower = follower
        self._source = source
        self._closing = closing

    def run(self, polled: Callable[[], None] = lambda: None) -> None:
        """Poll until it is closing; call `polled` after each poll."""
        pause = _FIRST_PAUSE
        while not self._closing.is_set():
            if self._poll():
                pause = _FIRST_PAUSE
            else:
                self._closing.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            polled()

    def _poll(self) -> bool:
        question = self._follower.question()
        try:
            found = self._source.follow(question.after, question.epoch, wait=question.wait)
            if not self._closing.is_set():
                self._follower.take(question, found)
        except NotAuthenticated as error:
            self._follower.lose()
            self.trouble = error
        except GatepassError as error:
            self.trouble = error
        except Exception as error:  # noqa: BLE001  the next poll must come whatever happened; the lease is not renewed
            self.trouble = Unavailable(f"following failed: {type(error).__name__}")
        else:
            self.trouble = None
        return self.trouble is None


class Following:
    """A thread that keeps a follower up to date, until it is closed."""

    def __init__(self, follower: Follower, source: ChangeSource) -> None:
        """Begin to poll `source`."""
        self._follower = follower
        self._source = source
        self._closing = threading.Event()
        self._answered = threading.Event()
        self._poller = Poller(follower, source, self._closing)
        self._thread = threading.Thread(
            target=self._poller.run, args=(self._answered.set,), name="gatepass-follower", daemon=True
        )
        self._thread.start()

    @property
    def trouble(self) -> GatepassError | None:
        """Why the last poll failed, None if it did not."""
        return self._poller.trouble

    def wait_for_first(self, seconds: float) -> None:
        """Return when the first poll has ended, well or not, or the time is over."""
        self._answered.wait(seconds)

    def wait_for_next(self, seconds: float) -> None:
        """Return when a poll has ended, well or not, or the time is over."""
        self._answered.clear()
        self._answered.wait(seconds)

    def close(self) -> None:
        """End it; nothing is answered from memory any more. What is under way is not waited for long."""
        self._closing.set()
        self._source.stop_following()
        self._thread.join(timeout=2)
        self._follower.lose()
