"""Seeded mistakes: each is one that somebody could make, put into the product by replacing a function.

The oracle must find each of them in a run of real processes, see `test_mutants.py`. The sleeps stand
where two processes race, so that a run of seconds meets what would else take days.
"""

import pickle
import threading
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gatepass.connect import StoreSource
from gatepass.model.change import ChangeKind
from gatepass.model.verdict import Accepted, Rejected
from gatepass.server.api import tokens as token_routes
from gatepass.services import create_token, revoke_token
from gatepass.stores.journalled import JournalledStore
from gatepass.stores.sql.sqlite import SqliteStore
from gatepass.stores.sql.tokens import SqlTokens
from gatepass.stores.words import Words
from gatepass.verifier import cache, verifier
from gatepass.verifier.cache import Cache
from gatepass.verifier.verifier import Verifier

RACE_SECONDS = 0.02


def ttl_only() -> None:
    """What is in memory counts for ten seconds, whatever has changed."""
    until: dict[bytes, float] = {}
    plain = Cache.find

    def find(self: Cache, digest: bytes, now: float) -> Any:
        found = self.young.get(digest)
        if found is not None and until.setdefault(digest, now + 10) > now:
            return found
        until.pop(digest, None)
        return plain(self, digest, now)

    Cache.find = find


def early_reply() -> None:
    """A deletion is acknowledged before it is committed."""
    plain = revoke_token.revoke_token

    def revoke(*arguments: Any) -> None:
        threading.Timer(0.1, plain, arguments).start()

    token_routes.revoke_token = revoke


def no_words() -> None:
    """Nobody is told of changes."""
    Words.begin = Words.finish = lambda *_: None


def one_word() -> None:
    """Only the end of a change is told: whoever is killed before that has told nobody."""
    begin, plain = Words.begin, Words.finish

    def finish(self: Words, revision: int) -> None:
        begin(self, revision)
        plain(self, revision)

    Words.begin, Words.finish = lambda *_: None, finish


def finish_first() -> None:
    """Both words are raised before the commit."""

    def commit(self: SqliteStore, connection: Any, revision: int | None) -> None:
        if revision is not None:
            self._words.begin(revision)
            self._words.finish(revision)
            time.sleep(RACE_SECONDS)
        connection.run("COMMIT")

    SqliteStore._commit = commit


def stale_put() -> None:
    """What was looked up is kept as of the moment it is put, not of that before it was looked up."""
    plain, peek = Cache.put, StoreSource.peek

    def put(self: Cache, digest: bytes, verdict: Any, *, stamp: int | None, now: float) -> Any:
        return plain(self, digest, verdict, stamp=self.stamp(), now=now)

    def slow_peek(self: StoreSource, presented: Any) -> Any:
        found = peek(self, presented)
        time.sleep(RACE_SECONDS)
        return found

    def slow_begin(self: Words, revision: int) -> None:
        begin(self, revision)
        time.sleep(RACE_SECONDS)

    begin = Words.begin
    Cache.put, StoreSource.peek, Words.begin = put, slow_peek, slow_begin


def refused_for_ever() -> None:
    """What was refused once stays refused."""
    plain = Cache.find

    def find(self: Cache, digest: bytes, now: float) -> Any:
        refusal = self._refusals.get(digest)
        return refusal.verdict if refusal else plain(self, digest, now)

    Cache.find = find


def owner_ignored() -> None:
    """Changes of a person are not applied to their tokens."""
    plain = Cache._apply

    def apply(self: Cache, change: Any) -> None:
        if change.kind is not ChangeKind.OWNER:
            plain(self, change)

    Cache._apply = apply


def last_change_only() -> None:
    """Of several changes since the last look only the last one is applied."""
    plain = SqliteStore.changes_after

    def changes_after(self: SqliteStore, revision: int) -> Any:
        time.sleep(5 * RACE_SECONDS)
        return (plain(self, revision) or [])[-1:]

    SqliteStore.changes_after = changes_after


def memory_while_changing() -> None:
    """While a change is under way, or its writer is dead, memory is trusted."""
    plain = Cache.find

    def find(self: Cache, digest: bytes, now: float) -> Any:
        if self.stamp() is None and digest in self.young:
            return self.young[digest]
        return plain(self, digest, now)

    Cache.find = find


def no_expiry() -> None:
    """The end of a token is not looked at."""

    Verifier._unless_expired = lambda _, verdict: verdict


def short_key() -> None:
    """The key of the memory is cut to one byte."""
    find, put = Cache.find, Cache.put

    def short(text: bytes) -> SimpleNamespace:
        return SimpleNamespace(digest=lambda: sha256(text).digest()[:1])

    def short_put(self: Cache, digest: bytes, verdict: Any, **facts: Any) -> Any:
        return put(self, digest[:1], verdict, **facts)

    verifier.sha256 = short
    Cache.find, Cache.put = (lambda self, digest, now: find(self, digest[:1], now)), short_put


def unread_flag() -> None:
    """A deletion sets a flag that verification does not read."""
    plain = StoreSource.peek

    def peek(self: StoreSource, presented: Any) -> Any:
        found = self._store.find_verification(presented.id)
        if found and found.is_revoked:
            return Accepted(presented.id, found.owner_id, found.owner_name, found.expires_at)
        return plain(self, presented)

    StoreSource.peek = peek


def empty_deletion() -> None:
    """A deletion says that it worked and changes nothing."""
    SqlTokens.revoke = lambda *_: True


def warm_restart() -> None:
    """What an earlier process knew counts after a restart."""
    plain, init = Cache.put, Cache.__init__
    saved: list[Path] = []

    def put(self: Cache, digest: bytes, verdict: Any, **facts: Any) -> Any:
        if isinstance(verdict, Accepted) and saved:
            fields = (verdict.token_id, verdict.owner_id, verdict.owner_name, verdict.expires_at)
            with saved[0].open("ab") as file:
                file.write(pickle.dumps((digest, fields)))
        return plain(self, digest, verdict, **facts)

    def start(self: Cache, feed: Any, *, most: int) -> None:
        init(self, feed, most=most)
        if not isinstance(feed, JournalledStore):
            return  # the server's own
        saved.append(feed._journal.path.with_name("saved"))
        if saved[0].exists():
            with saved[0].open("rb") as file:
                while True:
                    try:
                        digest, fields = pickle.load(file)  # noqa: S301  our own
                    except (EOFError, pickle.UnpicklingError):
                        break
                    self.young[digest] = cache.Entry(Accepted(*fields), self.words[1], self._shared)
            self._applied = self.words[1]

    Cache.put, Cache.__init__ = put, start


def check_before() -> None:
    """Whether somebody may create a token is checked before the transaction that creates it."""
    plain, authorise = create_token.create_token, create_token.authorise
    checked = threading.local()

    def create(deps: Any, actor: Any, **fields: Any) -> Any:
        with deps.store.read() as tx:
            checked.owner = authorise(
                tx, actor, create_token.Action.CREATE_TOKEN, now=deps.clock.now(), owner_id=actor.user_id
            )
        time.sleep(5 * RACE_SECONDS)
        return plain(deps, actor, **fields)

    create_token.authorise = lambda *_, **__: checked.owner
    token_routes.create_token = create


def lost_record() -> None:
    """Deletions leave no audit record."""
    revoke_token.record_event = lambda *_, **__: None


def any_secret() -> None:
    """The id of a token is enough."""
    plain = StoreSource.peek

    def peek(self: StoreSource, presented: Any) -> Any:
        verdict = plain(self, presented)
        found = self._store.find_verification(presented.id)
        if isinstance(verdict, Rejected) and found and not found.is_revoked and found.enabled:
            return Accepted(presented.id, found.owner_id, found.owner_name, found.expires_at)
        return verdict

    StoreSource.peek = peek


def lazy_commit() -> None:
    """The database acknowledges what it has not written yet."""
    from gatepass.stores.sql.postgres_connection import Patience  # it brings the driver

    plain = Patience.limits

    def limits(self: Patience, *, scope: str) -> str:
        return f"{plain(self, scope=scope)}; SET {scope} synchronous_commit = off"

    Patience.limits = limits


MUTANTS: Mapping[str, Callable[[], None]] = {
    mutant.__name__: mutant
    for mutant in (
        ttl_only,
        early_reply,
        no_words,
        one_word,
        finish_first,
        stale_put,
        refused_for_ever,
        owner_ignored,
        last_change_only,
        memory_while_changing,
        no_expiry,
        short_key,
        unread_flag,
        empty_deletion,
        warm_restart,
        check_before,
        lost_record,
        any_secret,
    )
}
ON_POSTGRES: Mapping[str, Callable[[], None]] = {mutant.__name__: mutant for mutant in (early_reply, lazy_commit)}
"""Those that deaths of servers or of the database itself bring to light, see `test_kill_postgres.py`."""
