"""Slow down guessing of passwords, for each account and each address.

Only failures count. The first few in an hour are free; after that the next attempt has to wait
1, 2, 4 … 900 seconds since the latest failure, whether or not the account exists. Nothing sleeps:
an attempt that comes too early is refused and not judged at all.

Failures from a browser where this person signed in before (a device) are counted for it alone; when it has
used up the free ones, it is a stranger for an hour.
"""

import hmac
import ipaddress
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

from gatepass.errors import TooManyRequests
from gatepass.interfaces import Clock, Keyring, Store
from gatepass.model.device import Device
from gatepass.model.identity import fold_login
from gatepass.model.user import User, email_key

WINDOW = timedelta(hours=1)
LONGEST_WAIT_SECONDS = 900
_PATIENCE_SECONDS = 10.0
"""How long an attempt waits for others on the same account before it is refused."""


class Throttle:
    """The failed sign-ins in the store, and the attempts under way in this process.

    Attempts that together could exceed the free ones wait for each other's outcome, so that a
    burst of guesses gets no more than its turn and a burst of right passwords loses nothing.
    """

    def __init__(self, store: Store, clock: Clock, keyring: Keyring, *, per_account: int, per_address: int) -> None:
        """Take how many failures an hour are free for one account and for one address."""
        self._store = store
        self._clock = clock
        self._keyring = keyring
        self._free = (per_account, per_address)
        self._under_way: Counter[bytes] = Counter()
        self._ended = threading.Condition()

    def attempt(self, email: str, address: str | None, *, folded: bool = False) -> AbstractContextManager[list[bytes]]:
        """Hold the right to judge one password; yield the keys to count a failure under.

        With `folded`, spellings that directories take for one name (`fold_login`) share a counter too. Raises
        TooManyRequests if it is not this attempt's turn.
        """
        return self._attempt(self._limits(email, address, folded=folded))

    def attempt_account(self, provider_id: str, account: str) -> AbstractContextManager[list[bytes]]:
        """Hold the same for an account that a provider resolved, within an attempt at its name."""
        return self._attempt({self.provider_account_key(provider_id, account): self._free[0]})

    @contextmanager
    def attempt_known(self, device: Device) -> Iterator[list[bytes]]:
        """Hold the right to judge one password from a device, whatever others do to the account or the address.

        Yields the key to count a failure under; none if the device has used up its free failures of the hour.
        """
        key = self._device_key(device)
        # One at a time: the outcome of each is counted before the next is looked at.
        with self._turn([key], lambda: self._under_way[key] == 0):
            with self._store.read() as tx:
                failures = tx.failures.list(key, self._clock.now() - WINDOW)
            yield [key] if len(failures) < self._free[0] else []

    @contextmanager
    def _attempt(self, limits: dict[bytes, int]) -> Iterator[list[bytes]]:
        with self._turn(list(limits), lambda: self._may_begin(limits)):
            yield list(limits)

    @contextmanager
    def _turn(self, keys: list[bytes], may_begin: Callable[[], bool]) -> Iterator[None]:
        with self._ended:
            if not self._ended.wait_for(may_begin, timeout=_PATIENCE_SECONDS):
                raise TooManyRequests("too many sign-ins at once", retry_after=1)
            self._under_way.update(keys)
        try:
            yield
        finally:
            with self._ended:
                self._under_way.subtract(keys)
                self._under_way += Counter()  # drops keys that reached zero
                self._ended.notify_all()

    def _may_begin(self, limits: dict[bytes, int]) -> bool:
        now = self._clock.now()
        with self._store.read() as tx:
            failures = {key: tx.failures.list(key, now - WINDOW) for key in limits}
        wait = max(waiting_time(failures[key], free=free, now=now) for key, free in limits.items())
        if wait > timedelta():
            raise TooManyRequests("too many failed sign-ins", retry_after=math.ceil(wait.total_seconds()))
        return all(self._under_way[key] < max(1, free - len(failures[key])) for key, free in limits.items())

    def _limits(self, email: str, address: str | None, *, folded: bool) -> dict[bytes, int]:
        """Return the keys an attempt counts under, each with its free failures."""
        per_account, per_address = self._free
        limits = {self.account_key(email): per_account}
        if folded:
            limits[self.name_key(email)] = per_account
        if address is not None:
            limits[self._key("address", network_of(address))] = per_address
        return limits

    def keys_of(self, user: User, devices: Iterable[Device]) -> list[bytes]:
        """Return all that failures of a local user are kept under: beside directories too, and in their browsers."""
        return [self.account_key(user.email), self.name_key(user.email), *map(self._device_key, devices)]

    def account_key(self, email: str) -> bytes:
        """Return what the failures of one account are kept under."""
        return self._key("account", email_key(email))

    def name_key(self, login: str) -> bytes:
        """Return what the failures of all spellings of a name are kept under."""
        return self._key("name", fold_login(login))

    def _device_key(self, device: Device) -> bytes:
        return self._key("device", device.handle_hash.hex())

    def provider_account_key(self, provider_id: str, account: str) -> bytes:
        """Return what the failures of an account are kept under that a provider resolved."""
        return self._key("account of", f"{provider_id} {account}")

    def _key(self, kind: str, name: str) -> bytes:
        # What people type as a name may be a password: keep it under a key only.
        text = f"sign-in {kind} {name}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._keyring.server_key(), text, "sha256")


def waiting_time(failures: Sequence[datetime], *, free: int, now: datetime) -> timedelta:
    """Return how long the next attempt has to wait, given the failures of the last hour."""
    if len(failures) < free:
        return timedelta()
    seconds = min(LONGEST_WAIT_SECONDS, 2 ** min(len(failures) - free, 30))
    return max(timedelta(), failures[-1] + timedelta(seconds=seconds) - now)


def network_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)
