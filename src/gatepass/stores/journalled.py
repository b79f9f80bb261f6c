"""A store whose endings are also kept outside of it: what it forgets when it is put back from a backup is repeated.

A death is journalled before its transaction commits, a life after. So whatever was acknowledged as
ended is in the journal, and nobody comes back to life by a record whose transaction never committed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gatepass.errors import Unavailable
from gatepass.interfaces import Store, Transaction, Verification, Verifications
from gatepass.model.change import Change, ChangeKind
from gatepass.model.journal import Fate, JournalRecord, Replayed
from gatepass.stores.journal import Journal, JournalUnreachable, JournalUnusable

Entry = tuple[Fate, UUID | None]


class Replay(Protocol):
    """Ends in a transaction what records say is ended, with one audit record."""

    def __call__(self, tx: Transaction, records: Sequence[JournalRecord], *, now: datetime) -> Replayed:
        """Return what was lacking."""
        ...


class JournalledStore:
    """Any store, with its journal. What the store lacks is repeated before anything is answered.

    If the journal cannot tell what is lacking, everything raises Unavailable until it can.
    """

    def __init__(self, store: Store, journal: Journal, *, replay: Replay, now: Callable[[], datetime]) -> None:
        """Compare `store` with `journal`, and repeat what it lacks. Raises Unavailable if the store fails."""
        self.replayed = Replayed()
        """What was lacking, since this was opened."""
        self._store = store
        self._journal = journal
        self._replay = replay
        self._now = now
        self._trouble: Unavailable | None = None
        self._agreed = False
        self._settle()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a snapshot for reading."""
        self._require_sound()
        with self._store.read() as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open the writing transaction; what it ends is in the journal before it commits.

        Raises Unavailable, and changes nothing, if something ended and cannot be journalled.
        """
        self._require_sound()
        with self._store.write() as tx:
            unusable = None
            try:
                self._catch_up(tx)
            except JournalUnreachable as error:
                unusable = error  # what ends nothing goes on: the two agreed when this was opened
            before = len(tx.changes.made)
            yield tx
            made = list(tx.changes.made[before:])
            fates = _fates(tx, made)
            if fates and unusable is not None:
                raise unusable
            if fates:
                # SECURITY: first the journal, then COMMIT. Even where nobody dies something is written: a life
                # that could not be journalled afterwards must not begin.
                self._append(tx, [fate for fate in fates if not fate[0].is_life])
        if any(fate.is_life for fate, _ in fates):
            self._journal_life(made)

    @contextmanager
    def write_uses(self) -> Iterator[Transaction]:
        """Open a transaction beside the writing one: nothing ends in it."""
        self._require_sound()
        with self._store.write_uses() as tx:
            yield tx

    @property
    def answers_inline(self) -> bool:
        """Tell what the store tells."""
        return self._store.answers_inline

    def find_verification(self, token_id: UUID) -> Verification | None:
        """Return what judging one token needs."""
        if self._trouble is not None:
            self._require_sound()
        return self._store.find_verification(token_id)

    def find_verifications(self, token_ids: Iterable[UUID]) -> Verifications:
        """Return what judging many tokens needs."""
        self._require_sound()
        return self._store.find_verifications(token_ids)

    @property
    def words(self) -> Sequence[int]:
        """Return the store's numbers."""
        return self._store.words

    def changes_after(self, revision: int) -> Sequence[Change] | None:
        """Return the changes after `revision`."""
        self._require_sound()
        return self._store.changes_after(revision)

    def check(self) -> None:
        """Ask the store whether it answers, and compare it with the journal once more."""
        self._store.check()
        self._settle()
        self._require_sound()

    def check_integrity(self) -> Sequence[str]:
        """Read everything, here and in the journal, and return what is wrong."""
        return [*self._store.check_integrity(), *self._journal.problems()]

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    @property
    def trouble(self) -> Unavailable | None:
        """Return why nothing is answered, None if all is well."""
        return self._trouble

    def count_restore(self) -> None:
        """Say, in store and journal, that a database was put back: verifiers far away know it by the number."""
        with self.write() as tx:
            mark = tx.journal.find()
            self._append(tx, [], restores=mark.restores + 1 if mark else 0)

    def _require_sound(self) -> None:
        if self._trouble is not None:
            raise Unavailable(str(self._trouble), hint=self._trouble.hint)

    def _settle(self) -> None:
        """Bring the store to where the journal is; if that cannot be done, remember why."""
        with self._store.read() as tx:
            mark = tx.journal.find()
        try:
            if not (mark is not None and self._journal.ends_at(mark)) and self._journal.read_after(mark)[0]:
                with self._store.write() as tx:
                    self._catch_up(tx)
        except JournalUnusable as error:
            # SECURITY: only whoever has seen the two agree goes on without the journal, and only while it is away.
            if not (self._agreed and isinstance(error, JournalUnreachable)):
                self._trouble = error
        else:
            self._trouble, self._agreed = None, True

    def _catch_up(self, tx: Transaction) -> None:
        """Repeat in `tx` what the journal has and the store lacks. Raises JournalUnusable."""
        mark = tx.journal.find()
        if mark is not None and self._journal.ends_at(mark):
            return
        records, end = self._journal.read_after(mark)
        if not records:
            return
        lacking = self._replay(tx, records, now=self._now())
        tx.journal.save(end)
        if not lacking.is_nothing:
            self._append(tx, [], restores=end.restores + 1)
            self.replayed = lacking

    def _append(self, tx: Transaction, entries: Sequence[Entry], *, restores: int = 0) -> None:
        mark = tx.journal.find()
        if mark is None:
            raise JournalUnusable("this database is from before there was a revocation journal")
        restores = max(restores, mark.restores)
        record = JournalRecord(mark.number + 1, restores, tx.changes.head(), self._now(), tuple(entries))
        tx.journal.save(self._journal.append(mark, record))

    def _journal_life(self, made: Sequence[Change]) -> None:
        """Journal who lives by a transaction that committed, unless that has changed since."""
        with self._store.write() as tx:
            self._catch_up(tx)
            alive = [fate for fate in _fates(tx, made) if fate[0].is_life]
            if alive:
                self._append(tx, alive)


def _fates(tx: Transaction, changes: Sequence[Change]) -> list[Entry]:
    """Return what became of the subjects of changes, each once."""
    subjects = dict.fromkeys((change.kind, change.subject_id) for change in changes)
    return [fate for kind, subject in subjects if (fate := _fate(tx, kind, subject)) is not None]


def _fate(tx: Transaction, kind: ChangeKind, subject: UUID | None) -> Entry | None:
    if kind is ChangeKind.EVERYTHING or subject is None:
        return (Fate.TOKENS_ON if tx.settings.load().enabled else Fate.TOKENS_OFF), None
    if kind is ChangeKind.OWNER:
        user = tx.users.find(subject)
        if user is None:
            return Fate.USER_DELETED, subject
        return (Fate.USER_LIVE if user.is_live else Fate.USER_DISABLED), subject
    if kind is ChangeKind.VERIFIER:
        verifier = tx.verifiers.find(subject)
        return (Fate.VERIFIER_REMOVED, subject) if verifier is None or verifier.removed_at else None
    token = tx.tokens.find(subject)
    return (Fate.TOKEN_DELETED, subject) if token is None or token.revoked_at else None
