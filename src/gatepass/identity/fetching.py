"""Asking an identity provider over HTTPS: little is read, little is waited for, and whatever goes wrong is an outage.

No redirect is followed, no cookie kept, and nothing of the environment (proxies, `.netrc`) believed.
"""

import json
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import httpx2

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.interfaces import Clock, Step

T = TypeVar("T")
logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line for each request is nobody's interest

_MOST_BYTES = 512 * 1024
_CONNECT_SECONDS = 4.0
_READ_SECONDS = 6.0
_TOTAL_SECONDS = 10.0
_FAILED_FOR = timedelta(seconds=5)
"""For how long a failure is answered from memory, so that those who wait do not all try in turn."""
_FORCED_EVERY = timedelta(minutes=1)


def is_safe_url(url: object, *, query: bool = True) -> bool:
    """Tell whether an address is one of https, or of http on this very machine, without user name or fragment."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None or "#" in url:
        return False
    return ("?" not in url or query) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, and the JSON that was the body (None if it was none)."""

    status: int
    body: Any


class Fetcher:
    """Asks one provider."""

    def __init__(self, *, ca: str = "", proxy: str = "", section: str = "providers") -> None:
        """Trust the system's authorities, or those in the PEM file `ca`; go through `proxy` if there is one.

        Raises BadConfiguration naming the key of `section`.
        """
        try:
            verify = ssl.create_default_context(cafile=ca) if ca else _system_trust()
        except (OSError, ssl.SSLError) as error:
            raise BadConfiguration(f"{section}.tls_ca", f"{ca!r} cannot be used: {error}") from None
        try:
            self._client = httpx2.Client(
                verify=verify,
                proxy=proxy or None,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx2.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": "gatepass"},
            )
        except (ValueError, httpx2.InvalidURL) as error:
            raise BadConfiguration(f"{section}.proxy", f"{proxy!r} is no address: {error}") from None

    def close(self) -> None:
        """Let go of open connections."""
        self._client.close()

    def get(self, url: str, *, bearer: str | None = None) -> Any:
        """Return the JSON at an address. Raises Unavailable, also for every status but 200."""
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        answer = self.ask("GET", url, headers=headers)
        if answer.status != HTTPStatus.OK or answer.body is None:
            raise Unavailable(f"the identity provider answered {answer.status} at {_place(url)}, or no JSON")
        return answer.body

    def ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request. Raises Unavailable if no answer comes in time, or one that is too long."""
        try:
            with self._client.stream(method, url, headers=headers, data=form) as response:
                return Answer(response.status_code, _json(_read(response)))
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError) as error:
            # The kind alone: the text of some errors repeats what was sent.
            raise Unavailable(
                f"the identity provider is out of reach at {_place(url)}: {type(error).__name__}"
            ) from None


@cache
def _system_trust() -> ssl.SSLContext:
    """Return what trusts whom the system trusts; made once, since that takes a while."""
    return httpx2.create_ssl_context(trust_env=False)


def _read(response: httpx2.Response) -> bytes:
    """Return the body as it was sent: not unpacked, within bounds of length and of time altogether."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Unavailable("the identity provider sent something packed, which was not asked for")
    until, body = time.monotonic() + _TOTAL_SECONDS, b""
    for part in response.iter_raw():
        body += part
        if len(body) > _MOST_BYTES or time.monotonic() > until:
            raise Unavailable("the identity provider sends too much, or too slowly")
    return body


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _place(url: str) -> str:
    """Return where an address is, without its query."""
    return url.partition("?")[0]


def examine(*tries: tuple[str, Callable[[], object], str]) -> Iterator[Step]:
    """Try one thing after the other until one fails. Each has words, what is done, and a hint."""
    for words, attempt, hint in tries:
        try:
            attempt()
        except Unavailable as error:
            yield Step(words, str(error), hint)
            return
        yield Step(words)


class Kept(Generic[T]):
    """Something of the provider's that is fetched again when it is too old. Used from many threads."""

    def __init__(self, load: Callable[[], T], clock: Clock, *, lifetime: timedelta) -> None:
        """`load` fetches it; it raises Unavailable."""
        self._load = load
        self._clock = clock
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._value: T | None = None
        self._loaded_at: datetime | None = None
        self._failed_at: datetime | None = None
        self._forced_at: datetime | None = None

    def get(self) -> T:
        """Return it. Raises Unavailable if it has to be fetched and cannot be: what is too old is not used."""
        with self._lock:
            now = self._clock.now()
            if self._value is None or self._loaded_at is None or not _lately(self._loaded_at, now, self._lifetime):
                return self._fetched(now)
            return self._value

    def get_anew(self) -> T:
        """Return it, fetched anew unless that was done within the last minute."""
        with self._lock:
            now = self._clock.now()
            if self._value is not None and _lately(self._forced_at, now, _FORCED_EVERY):
                return self._value
            self._forced_at = now
            return self._fetched(now)

    def _fetched(self, now: datetime) -> T:
        if _lately(self._failed_at, now, _FAILED_FOR):
            raise Unavailable("the identity provider was out of reach a moment ago")
        try:
            value = self._load()
        except Unavailable:
            self._failed_at = now
            raise
        self._value, self._loaded_at, self._failed_at = value, now, None
        return value


def _lately(at: datetime | None, now: datetime, within: timedelta) -> bool:
    """Tell whether `at` lies within the past so long; an instant ahead, after the clock was set back, does not."""
    return at is not None and timedelta() <= now - at < within
