"""What every door of one running server shares."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import HTTPConnection

from gatepass.connect import UseWriter, verifier_over
from gatepass.errors import TooManyRequests
from gatepass.identity.local import cores
from gatepass.model.identity import Carrier
from gatepass.model.network import Address
from gatepass.server.client import address_of, client_of
from gatepass.server.followers import Followers
from gatepass.server.metrics import Metrics
from gatepass.server.probing import ProbeLimit
from gatepass.server.roll import Roll
from gatepass.server.settings import Config
from gatepass.server.watch import Watch
from gatepass.services.deps import Deps
from gatepass.services.longest_lease import longest_lease
from gatepass.verifier.lease import LeaseClock
from gatepass.verifier.proxies import TrustedProxies

T = TypeVar("T")

_WORKERS = 16
_HASHES_WAITING = 64
_LOOKING = 64
"""Look-ups for `/verify` that may be under way where the store blocks; they share a few queries."""


class WorkPool:
    """Threads for work that blocks; a bounded queue, after which TooManyRequests is raised."""

    def __init__(self, name: str, *, workers: int, waiting: int) -> None:
        """Start at most `workers` threads and let at most `waiting` pieces of work wait for them."""
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._most = workers + waiting
        self._under_way = 0
        self._workers = workers

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread. Called from the event loop only."""
        if self._under_way >= self._most:
            raise TooManyRequests("too many requests of this kind are waiting")
        loop = asyncio.get_running_loop()
        future = self._threads.submit(work)
        self._under_way += 1
        # Counted by the work itself: a client that goes away does not free a thread.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._ended))
        return await asyncio.wrap_future(future)

    def _ended(self) -> None:
        self._under_way -= 1

    @property
    def waiting(self) -> int:
        """Return how many pieces of work wait for a thread."""
        return max(0, self._under_way - self._workers)

    def close(self) -> None:
        """Wait for what runs, drop what waits."""
        self._threads.shutdown(cancel_futures=True)


class Context:
    """The installation, the configuration and the helpers of one server."""

    def __init__(self, deps: Deps, config: Config, metrics: Metrics, *, public_url: str) -> None:
        """Put them together. `public_url` has no slash at its end."""
        self.deps = deps
        self.verifier = verifier_over(deps.store, deps.keyring, deps.clock)
        self.config = config
        self.metrics = metrics
        self.public_url = public_url
        self.uses = UseWriter(deps.store, lambda: deps.clock.now().timestamp())
        self.probes = ProbeLimit(deps.clock, per_minute=config.sign_in.unknown_tokens_per_minute)
        self.proxies = TrustedProxies(config.server.trusted_proxies)
        self.followers = Followers(
            LeaseClock().boot, unknown_seconds=longest_lease(deps), note_lag=metrics.verifier_lag.observe
        )
        metrics.verifier_instances.set_function(self.followers.count)
        self.watch = Watch(deps.store.words)
        self.work = WorkPool("work", workers=_WORKERS, waiting=1000)
        self.roll = Roll(deps.store, self.followers, self.work.run)
        # Whoever finds all of them waiting for the database is told so at once.
        self.looking = WorkPool("look-up", workers=_LOOKING, waiting=0)
        # One core stays free: a flood of sign-ins must not hold up verification, here or in the processes beside.
        # Who waits for a directory uses none, so there are more threads then; the hasher bounds itself.
        hashing = _WORKERS if deps.providers else max(1, cores() - 1)
        self.hashing = WorkPool("password", workers=hashing, waiting=_HASHES_WAITING)

    @property
    def is_https(self) -> bool:
        """Tell whether people reach this server over TLS."""
        return self.public_url.startswith("https://")

    @functools.cached_property
    def cookie_name(self) -> str:
        """Return the name of the session cookie."""
        return "__Host-gatepass" if self.is_https else "gatepass"

    @functools.cached_property
    def device_cookie_name(self) -> str:
        """Return the name of the cookie by which a browser is known; no provider's cookie has it (`flow.py`)."""
        return f"{self.cookie_name}_device"

    async def glance(self, work: Callable[[], T]) -> T:
        """Return what `work` reads in the store with a few look-ups: inline where that takes microseconds."""
        return work() if self.deps.store.answers_inline else await self.work.run(work)

    @functools.cached_property
    def first_token_advice(self) -> str:
        """Return where people get their first token who have no password that could be sent; empty if all have."""
        names = [each.name for each in self.deps.providers.values() if each.has_button and not each.passwords]
        if not names:
            return ""
        return (
            f"People who sign in with {' or '.join(names)} generate their first token on the page"
            f" {self.public_url}/settings/access-tokens."
        )

    def address_of(self, request: HTTPConnection) -> str | None:
        """Return the client's address."""
        return address_of(self.proxies, request)

    def client_of(self, request: HTTPConnection) -> Address | None:
        """Return where the client is, for tokens that work from certain networks only; None if that is not known."""
        return client_of(self.proxies, request)

    def carrier_of(self, request: HTTPConnection) -> Carrier:
        """Return by what a request came."""
        return Carrier(
            is_socket=self.config.is_on_socket, certified=request.scope["state"].get("certified", frozenset())
        )

    def close(self) -> None:
        """Stop the threads."""
        self.work.close()
        self.looking.close()
        self.hashing.close()


def context_of(request: HTTPConnection) -> Context:
    """Return the context of the server that received `request`."""
    context: Context = request.state.context
    return context
