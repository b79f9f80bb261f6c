"""Puts a verifier over what keeps the tokens, so that neither package needs to know the other."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.interfaces import Clock, Fetched, Keyring, Store
from gatepass.model.instant import truncate
from gatepass.model.presented import PresentedToken
from gatepass.model.secret import Secret
from gatepass.model.use import Uses
from gatepass.model.verdict import Verdict
from gatepass.services.judge_token import judge_token
from gatepass.services.record_token_use import record_token_use
from gatepass.services.replay_journal import replay_journal
from gatepass.verifier.opened import OpenVerifier
from gatepass.verifier.use_sender import UseSender
from gatepass.verifier.verifier import Verifier

if TYPE_CHECKING:
    from gatepass.stores.journalled import JournalledStore

KEYS = "gatepass.keys"
JOURNAL = "gatepass.journal"
"""Where the revocation journal of a SQLite file is, unless the configuration says otherwise."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant in whole milliseconds."""
        return truncate(datetime.now(UTC))  # noqa: TID251  this is the clock


class StoreSource:
    """Verdicts straight from a store: inline where a look-up takes microseconds, else many at a time."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        """Read from `store`."""
        self._store = store
        self._keyring = keyring
        self._answers_inline = store.answers_inline

    def peek(self, presented: PresentedToken) -> Verdict | None:
        """Look the token up and judge it, if the store answers inline."""
        if not self._answers_inline:
            return None
        return judge_token(self._store.find_verification(presented.id), presented, keyring=self._keyring)

    def fetch(self, presented: Sequence[PresentedToken]) -> Fetched:
        """Judge many."""
        found, _, stamp = self._store.find_verifications([each.id for each in presented])
        return Fetched([judge_token(found.get(each.id), each, keyring=self._keyring) for each in presented], stamp)


class UseWriter(UseSender):
    """Writes uses into a store."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:  # noqa: TID251  the clock
        """Begin with nothing to write."""
        super().__init__(now)
        self._store = store

    def _check(self) -> None:
        self._store.check()

    def _write(self, uses: Uses) -> None:
        record_token_use(self._store, uses)


def verifier_over(store: Store, keyring: Keyring, clock: Clock) -> Verifier:
    """Return a verifier over an open store, telling the time by `clock`."""
    return Verifier(StoreSource(store, keyring), store, now=lambda: clock.now().timestamp())


def check_ready(store: Store, keyring: Keyring) -> None:
    """Raise Unavailable unless the store answers and there is a pepper."""
    store.check()
    number, _ = keyring.current_pepper()
    if number < 1:
        raise Unavailable("there is no pepper")


class EmbeddedVerifier(OpenVerifier):
    """A verifier that opened its store itself, and closes it. A thread of its own writes what was used."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        """Judge by what is in `store`."""
        super().__init__(StoreSource(store, keyring), store, UseWriter(store))
        self.store = store
        self.keyring = keyring

    def check_ready(self) -> None:
        """Raise Unavailable unless tokens can be looked up and judged, over PostgreSQL unless there is a lease."""
        if self.store.answers_inline:
            check_ready(self.store, self.keyring)
            return
        started, finished = self.store.words
        if started != finished:  # the database is not asked: that could hold up a listener
            raise Unavailable("no lease: the database was not heard of lately")

    def close(self) -> None:
        """Write the last uses, and let go of the store. Raises Unavailable if they could not be written."""
        try:
            super().close()
        finally:
            self.store.close()


def open_store(data: Path, *, database: str, journal: Path | None) -> Store:
    """Open the PostgreSQL database at a URL, or for an empty one the SQLite file in the directory `data`.

    With a revocation journal it is as `open_journalled` opens it. Raises BadConfiguration if it has one
    and `journal` is None, or if one of the two cannot be used as it is; Unavailable if the database fails.
    """
    from gatepass.stores import open_plain  # noqa: PLC0415  see open_verifier

    if journal is not None:
        return open_journalled(data, database=database, journal=journal)
    store = open_plain(data, database)
    try:
        with store.read() as tx:
            # SECURITY: what is deleted past its journal would come back with a backup.
            if tx.journal.find() is not None:
                raise BadConfiguration("store.journal", "must name the revocation journal that this database has")
    except BaseException:
        store.close()
        raise
    return store


def journal_path(data: Path, database: str, journal: str | Path | None) -> Path | None:
    """Return where the revocation journal is if the configuration says `journal`; None if there is to be none.

    A SQLite file always has one. With PostgreSQL each host would have its own, so there it must be asked for.
    """
    from gatepass.stores import DATABASE  # noqa: PLC0415

    if journal:
        return Path(journal)
    return None if database else (data / DATABASE).resolve().with_name(JOURNAL)


def open_journalled(data: Path, *, database: str, journal: Path) -> "JournalledStore":
    """Open a database with its revocation journal; what it lacks of that is repeated before this returns.

    If the journal does not vouch for it, it answers nothing but Unavailable.
    """
    from gatepass.stores import open_plain  # noqa: PLC0415
    from gatepass.stores.journal import Journal  # noqa: PLC0415
    from gatepass.stores.journalled import JournalledStore  # noqa: PLC0415

    store = open_plain(data, database)
    try:
        return JournalledStore(store, Journal(journal), replay=replay_journal, now=SystemClock().now)
    except BaseException:
        store.close()
        raise


def open_followed(data: Path, *, database: str, journal: Path | None) -> Store:
    """Open as `open_store` does, for what runs on: its words allow answers from memory, with PostgreSQL by a lease."""
    store = open_store(data, database=database, journal=journal)
    if store.answers_inline:
        return store
    from gatepass.followed import FollowedStore  # noqa: PLC0415
    from gatepass.stores.sql.notify import HintListener  # noqa: PLC0415  it brings the driver

    return FollowedStore(store, listen=lambda heard: HintListener(database, heard))


def open_verifier(
    place: str | Path,
    *,
    database: str = "",
    journal: str | Path | None = None,
    credential: str | Secret | None = None,
    ca_file: str | None = None,
    grace: float = 0,
    insecure_http: bool = False,
) -> OpenVerifier:
    """Open a verifier over an installation: a directory on this host, or the URL of its server.

    A directory needs `gatepass[server]`. A token deleted by any process is refused here before the
    call that deleted it returns. With `database`, the URL of the installation's PostgreSQL database, the
    host may be another one with a copy of the key file in the directory; then it is refused within
    milliseconds, and within the bound whatever happens. `journal` is the revocation journal, if
    `store.journal` says where that is. Raises BadConfiguration if there is no installation that can be used,
    Unavailable if a PostgreSQL database is out of reach.

    A URL (`https://tokens.example.com`) needs `credential`, which `gatepass verifiers add` prints, and
    the standard library only. A deleted token is refused within milliseconds while the server is
    connected, and within its bound whatever happens. `ca_file` names the certificates to trust in
    place of the system's; `grace` asks for so many seconds more than the bound, which the server may
    grant; `insecure_http` allows plain HTTP to another machine. Raises BadConfiguration for what cannot
    be used, a credential that the server refuses included. A server that is away is waited for: until
    it answers, every verification raises Unavailable.
    """
    if isinstance(place, str) and place.startswith(("https://", "http://")):
        if credential is None:
            raise BadConfiguration("credential", "is required for a URL", hint="gatepass verifiers add NAME")
        for name, given in {"journal": journal, "database": database}.items():
            if given:
                raise BadConfiguration(name, "belongs to a directory, and this is a URL")
        # Here, and not above: a verifier beside its server needs none of it.
        from gatepass.verifier.elsewhere import RemoteVerifier  # noqa: PLC0415
        from gatepass.verifier.remote import Upstream  # noqa: PLC0415

        hidden = credential if isinstance(credential, Secret) else Secret(credential)
        return RemoteVerifier(Upstream(place, hidden, ca_file=ca_file, insecure_http=insecure_http), grace=grace)
    if credential is not None:
        raise BadConfiguration("credential", "belongs to a URL, and this is a directory")
    return open_embedded(place, database=database, journal=journal)


def open_embedded(data: str | Path, *, database: str = "", journal: str | Path | None = None) -> EmbeddedVerifier:
    """Open a verifier over the installation in the directory `data`, as `open_verifier` does."""
    # Here, and not above: a verifier over a server far away needs neither of them.
    from gatepass.stores.keyfile import KeyFile  # noqa: PLC0415

    folder = Path(data)
    store = open_followed(folder, database=database, journal=journal_path(folder, database, journal))
    return EmbeddedVerifier(store, KeyFile(folder / KEYS))
