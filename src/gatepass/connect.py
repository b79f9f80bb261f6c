"""Puts a verifier over what keeps the tokens, so that neither package needs to know the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from gatepass.errors import Unavailable
from gatepass.interfaces import Clock, Keyring, Store
from gatepass.model.presented import PresentedToken
from gatepass.model.verdict import Verdict
from gatepass.services.judge_token import judge_token
from gatepass.verifier.verifier import Verifier


class StoreSource:
    """Verdicts straight from a store on this host: a look-up takes microseconds, so it is made inline."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        """Read from `store`."""
        self._store = store
        self._keyring = keyring

    def peek(self, presented: PresentedToken) -> Verdict:
        """Look the token up and judge it."""
        return judge_token(self._store.find_verification(presented.id), presented, keyring=self._keyring)

    def fetch(self, presented: Sequence[PresentedToken]) -> Sequence[Verdict]:
        """Judge many."""
        return [self.peek(each) for each in presented]


def verifier_over(store: Store, keyring: Keyring, clock: Clock) -> Verifier:
    """Return a verifier over an open store, telling the time by `clock`."""
    return Verifier(StoreSource(store, keyring), store, now=lambda: clock.now().timestamp())


def check_ready(store: Store, keyring: Keyring) -> None:
    """Raise Unavailable unless the store answers and there is a pepper."""
    store.check()
    number, _ = keyring.current_pepper()
    if number < 1:
        raise Unavailable("there is no pepper")


class EmbeddedVerifier(Verifier):
    """A verifier that opened its store itself, and closes it."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        """Judge by what is in `store`."""
        super().__init__(StoreSource(store, keyring), store)
        self._store = store
        self._keyring = keyring

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check_ready(self) -> None:
        """Raise Unavailable unless tokens can be looked up and judged."""
        check_ready(self._store, self._keyring)

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()


def open_verifier(data: str | Path) -> EmbeddedVerifier:
    """Open a verifier beside the server of the installation in the directory `data`, on the same host.

    It needs `gatepass[server]`. A token deleted by any process is refused here before the call that
    deleted it returns. Raises BadConfiguration if there is no installation that can be used.
    """
    # Here, and not above: a verifier over a server far away needs neither of them.
    from gatepass.stores.keyfile import KeyFile  # noqa: PLC0415
    from gatepass.stores.sql.sqlite import SqliteStore  # noqa: PLC0415

    folder = Path(data)
    return EmbeddedVerifier(SqliteStore(folder / "gatepass.db"), KeyFile(folder / "gatepass.keys"))
