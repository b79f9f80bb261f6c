"""An installation: a directory with the key file, the database there or elsewhere, and how to open or make one."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gatepass.connect import JOURNAL, KEYS, SystemClock, journal_path, open_followed, open_store
from gatepass.errors import BadConfiguration, Conflict
from gatepass.identity.local import Argon2Hasher, common_passwords, cores
from gatepass.interfaces import Clock, Keyring, Store
from gatepass.model.actor import CONSOLE
from gatepass.model.secret import Secret, generate_id
from gatepass.policies import POLICIES
from gatepass.server.provider_settings import Provider, configured
from gatepass.server.settings import Config, SignInConfig, StoreConfig
from gatepass.services.change_settings import change_settings
from gatepass.services.create_user import create_user
from gatepass.services.deps import Deps
from gatepass.services.throttle import Throttle
from gatepass.stores import DATABASE, open_plain, require_driver
from gatepass.stores.files import require_private_directory, sync_directory
from gatepass.stores.journal import Journal
from gatepass.stores.keyfile import KeyFile
from gatepass.stores.observed import ObservedStore, StoreObserver
from gatepass.stores.sql.sqlite import SqliteStore

LOCK = "serve.lock"


def exists(data: Path) -> bool:
    """Tell whether `data` holds an installation, or a part of one."""
    return any(os.path.lexists(data / name) for name in (DATABASE, KEYS))


def journal_of(config: StoreConfig, data: Path) -> Path | None:
    """Return where the revocation journal of the installation in `data` is; None if there is to be none."""
    return journal_path(data, config.database, config.journal)


def open_deps(data: Path, config: Config, *, observer: StoreObserver | None = None, follows: bool = False) -> Deps:
    """Open the installation in `data`; `observer` hears of each use of its store.

    With `follows` its words allow answers from memory, over PostgreSQL too, and there are identity providers: for
    what runs on. Raises
    BadConfiguration if it is missing or cannot be used.
    """
    if not exists(data):
        raise BadConfiguration(
            str(data), "holds no installation", hint=f"gatepass init --data {data} --email … --password-file …"
        )
    keyring = KeyFile(data / KEYS)
    opening = open_followed if follows else open_store
    store: Store = opening(data, database=config.store.database, journal=journal_of(config.store, data))
    providers = [each for each in config.providers.values() if each.config.enabled] if follows else ()
    return build_deps(
        ObservedStore(store, observer) if observer else store, keyring, config.sign_in, providers=providers
    )


@contextmanager
def opened(config: Config) -> Iterator[Deps]:
    """Open the configured installation for one command, beside a server or without one."""
    deps = open_deps(Path(config.store.data), config)
    try:
        yield deps
    finally:
        deps.store.close()


def build_deps(
    store: Store,
    keyring: Keyring,
    config: SignInConfig,
    clock: Clock | None = None,
    *,
    providers: Iterable[Provider] = (),
) -> Deps:
    """Put together what the use cases need. Raises BadConfiguration for providers that cannot be used."""
    clock = clock or SystemClock()
    built = {each.id: configured(each, clock=clock) for each in providers}
    return Deps(
        store=store,
        clock=clock,
        keyring=keyring,
        # With directories more threads check passwords than may hash at once (`Context.hashing`).
        hasher=Argon2Hasher(at_once=max(1, cores() - 1) if built else None),
        throttle=Throttle(
            store,
            clock,
            keyring,
            per_account=config.free_failures_per_account,
            per_address=config.free_failures_per_address,
        ),
        policies=POLICIES,
        common_passwords=common_passwords(config.site_words),
        local_sign_in=config.local,
        providers=built,
    )


def begin_journal(store: Store, path: Path, *, restores: int = 0) -> None:
    """Make the revocation journal of `store`, empty from here on. Raises Conflict if the file exists, Unavailable."""
    now = SystemClock().now()
    mark = None
    try:
        with store.write() as tx:
            mark = Journal(path).create(generate_id(now), now, restores=restores)
            tx.journal.save(mark)
    except BaseException:
        if mark is not None:
            path.unlink()
        raise


def create_installation(
    data: Path,
    config: SignInConfig,
    *,
    email: str,
    password: Secret,
    enable_tokens: bool = False,
    database: str = "",
    journal: Path | None = None,
) -> None:
    """Make an installation with its first administrator, or leave nothing behind.

    With `database`, the URL of an empty PostgreSQL database, everything but the key file is kept there.
    `journal` is where the revocation journal goes; None is a file in `data`, or none at all with PostgreSQL.
    Raises Conflict if `data` or the database holds (a part of) one, or there is a journal; InvalidInput
    naming `email` or `password`.
    """
    if journal is None and not database:
        journal = data / JOURNAL
    if exists(data):
        raise Conflict(f"{str(data)!r} holds an installation already", hint="nothing was changed")
    if data.exists():
        require_private_directory(data)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Everything is made in a folder of its own first, so that a failure removes nothing but what it made.
    with ExitStack() as undo, TemporaryDirectory(prefix=".init-", dir=data) as folder:
        draft = Path(folder)
        keyring = KeyFile.create(draft / KEYS)
        with _new_store(draft, database) as store:
            deps = build_deps(store, keyring, config)
            if enable_tokens:
                change_settings(deps, CONSOLE, {"apiAccessTokens.enabled": True})
            if journal:
                begin_journal(store, journal)
                undo.callback(journal.unlink)
            # Last: a database with a person in it is an installation.
            create_user(deps, CONSOLE, email=email, password=password, is_admin=True)
        # The keys first: a database without them would look like one that lost them.
        for name in (KEYS,) if database else (KEYS, DATABASE):
            (data / name).hardlink_to(draft / name)  # never over a file that somebody else made meanwhile
        undo.pop_all()
    sync_directory(data)


@contextmanager
def _new_store(draft: Path, database: str) -> Iterator[Store]:
    """Open a new store; of PostgreSQL an empty schema stays if the block fails, and the next attempt takes it."""
    if database:
        require_driver()
        from gatepass.stores.sql.postgres_schema import initialising  # noqa: PLC0415  it brings the driver

        with initialising(database), closing(open_plain(draft, database)) as store:
            yield store
    else:
        with closing(SqliteStore.create(draft / DATABASE)) as store:
            yield store


@contextmanager
def serve_lock(data: Path) -> Iterator[None]:
    """Hold the right to serve `data`. Raises Conflict if another process has it."""
    descriptor = os.open(data / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"another `gatepass serve` uses {str(data)!r}", hint="one server for each directory"
            ) from None
        yield
    finally:
        os.close(descriptor)
