"""Where the metadata of an identity provider come from: a file that is read once, or an address that is asked again."""

import http.client
import ssl
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.identity.saml.idp import MOST_METADATA_BYTES, Idp, check_address, read_idp
from gatepass.identity.saml.names import NotProven
from gatepass.identity.saml.options import Options
from gatepass.interfaces import Clock

_FRESH = timedelta(hours=1)
_KEPT = timedelta(days=1)
_AGAIN = timedelta(minutes=1)
_SECONDS = 5


class Source(Protocol):
    """Tells who the identity provider is."""

    def idp(self) -> Idp:
        """Return it as it is now. Raises Unavailable if that is not known."""
        ...


def open_source(options: Options, *, section: str, clock: Clock) -> Source:
    """Return the source that `metadata` names. Raises BadConfiguration naming the key."""
    if not options.metadata:
        raise BadConfiguration(f"{section}.metadata", "must name a file or an https address")
    try:
        if "://" in options.metadata:
            return UrlSource(check_address(options.metadata), _trust(options, section), options.idp_entity_id, clock)
        return FileSource(Path(options.metadata).read_bytes(), options.idp_entity_id, clock)
    except OSError as error:
        raise BadConfiguration(
            f"{section}.metadata", f"{options.metadata!r} cannot be read: {error.strerror}"
        ) from None
    except NotProven as error:
        raise BadConfiguration(f"{section}.metadata", str(error)) from None


def _trust(options: Options, section: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=options.tls_ca or None)
    except OSError as error:
        raise BadConfiguration(f"{section}.tls_ca", f"{options.tls_ca!r} cannot be used: {error.strerror}") from None


class FileSource:
    """Metadata that stand in a file."""

    def __init__(self, raw: bytes, entity_id: str, clock: Clock) -> None:
        """Read it. Raises NotProven."""
        self._clock = clock
        self._idp = read_idp(raw, entity_id=entity_id, now=clock.now())

    def idp(self) -> Idp:
        """Return what the file says, while it holds."""
        return _holding(self._idp, self._clock.now())


class UrlSource:
    """Metadata at an address: asked when they are first needed and each hour, kept for a day if it does not answer."""

    def __init__(self, url: str, trust: ssl.SSLContext, entity_id: str, clock: Clock) -> None:
        """Ask nobody yet."""
        self._url = url
        self._trust = trust
        self._entity_id = entity_id
        self._clock = clock
        self._lock = threading.Lock()
        self._read: tuple[Idp, datetime] | None = None
        self._next: datetime | None = None

    def idp(self) -> Idp:
        """Return what was last said, asking if that is an hour ago."""
        with self._lock:
            now = self._clock.now()
            if self._next is None or now >= self._next:
                self._ask(now)
            if self._read is None or now - self._read[1] >= _KEPT:
                raise Unavailable(f"there are no metadata at {self._url}")
            return _holding(self._read[0], now)

    def _ask(self, now: datetime) -> None:
        """Ask; what cannot be used changes nothing."""
        self._next = now + _AGAIN
        # SECURITY: once it is known who the provider is, the address cannot make it another one.
        known = self._read[0].entity_id if self._read else self._entity_id
        try:
            idp = read_idp(fetch(self._url, self._trust), entity_id=known, now=now)
        except (NotProven, Unavailable) as error:
            if self._read is None:
                raise Unavailable(f"the metadata at {self._url} cannot be used: {error}") from None
            return
        self._read, self._next = (idp, now), now + _FRESH


def _holding(idp: Idp, now: datetime) -> Idp:
    if idp.valid_until is not None and idp.valid_until <= now:
        raise Unavailable(f"the metadata of {idp.entity_id} were valid until {idp.valid_until:%Y-%m-%d}")
    return idp


def fetch(url: str, trust: ssl.SSLContext) -> bytes:
    """Return what is at `url`, at most a byte more than metadata may have. Follows nothing. Raises Unavailable."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=_SECONDS, context=trust)
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=_SECONDS)
    )
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"Accept": "application/samlmetadata+xml, application/xml"})
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise Unavailable(f"it answers with status {response.status}")
        return response.read(MOST_METADATA_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"it does not answer: {error}") from None
    finally:
        connection.close()
