"""Connections to the servers of one directory: TLS that is checked, the next server if one is away, no referrals."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException

from gatepass.errors import Unavailable
from gatepass.identity.ldap.flavours import Address, Directory
from gatepass.identity.ldap.states import PASSWORD_POLICY, Attributes

_AVOIDED_SECONDS = 30.0
"""How long a server that failed is asked after the others."""
_PAUSE_SECONDS = 5.0
"""For how long nobody is made to wait for servers again that all failed."""
_PAGE = 500
_SUCCESS, _TOO_MANY, _NOTHING_THERE = 0, 4, 32


class OutOfReach(Unavailable):
    """A server does not answer."""


class Entry:
    """An entry as it was read."""

    def __init__(self, response: dict[str, Any]) -> None:
        """Take it from a response of ldap3."""
        self.dn: str = response["dn"]
        self.attributes: Attributes = {
            name.lower(): list(values) for name, values in response["raw_attributes"].items()
        }

    def text(self, name: str) -> str | None:
        """Return the first value of an attribute, None if there is none or it is no text."""
        for value in self.attributes.get(name.lower(), ()):
            try:
                return value.decode()
            except UnicodeDecodeError:
                return None
        return None


class Session:
    """One connection, bound or not."""

    def __init__(self, connection: ldap3.Connection, answer_seconds: int) -> None:
        """Use `connection`, which is open and speaks TLS."""
        self._connection = connection
        self._seconds = answer_seconds

    def bind(self, name: str, password: bytes) -> dict[str, Any]:
        """Bind and return the result, whatever it is."""
        # SECURITY: a bind with a name and no password succeeds at many servers, as nobody.
        if not name or not password or b"\0" in password:
            raise ValueError("a bind needs a name and a password")
        self._connection.user, self._connection.password = name, password
        self._connection.authentication = ldap3.SIMPLE
        with _outages():
            self._connection.bind(controls=[(PASSWORD_POLICY, False, None)])
        return dict(self._connection.result)

    def find(self, base: str, wanted: str, attributes: Sequence[str], *, whole: bool, most: int) -> list[Entry]:
        """Return up to `most` entries that fit a filter: `base` itself, or with `whole` everything below too.

        Raises Unavailable for a `base` below which should be something and is not.
        """
        with _outages():
            self._connection.search(
                base,
                wanted,
                ldap3.SUBTREE if whole else ldap3.BASE,
                dereference_aliases=ldap3.DEREF_NEVER,
                attributes=list(attributes) or [ldap3.NO_ATTRIBUTES],
                size_limit=most,
                time_limit=self._seconds,
            )
        code = self._connection.result["result"]
        if code == _NOTHING_THERE and not whole:
            return []
        if code not in {_SUCCESS, _TOO_MANY}:
            raise Unavailable(f"the directory does not answer below {base!r}: {self._connection.result['description']}")
        return _entries(self._connection)

    def find_all(self, base: str, wanted: str, attributes: Sequence[str], *, most: int) -> list[Entry]:
        """Return everything below `base` that fits, page by page. Raises Unavailable above `most`."""
        found: list[Entry] = []
        cookie: bytes | None = None
        while cookie != b"":
            with _outages():
                self._connection.search(
                    base,
                    wanted,
                    ldap3.SUBTREE,
                    dereference_aliases=ldap3.DEREF_NEVER,
                    attributes=list(attributes) or [ldap3.NO_ATTRIBUTES],
                    time_limit=self._seconds,
                    paged_size=_PAGE,
                    paged_cookie=cookie,
                )
            if self._connection.result["result"] != _SUCCESS:
                raise Unavailable(
                    f"the directory does not answer below {base!r}: {self._connection.result['description']}"
                )
            found += _entries(self._connection)
            if len(found) > most:
                raise Unavailable(f"the directory has more than {most} entries below {base!r} for one person")
            controls = self._connection.result.get("controls") or {}
            cookie = controls.get("1.2.840.113556.1.4.319", {}).get("value", {}).get("cookie", b"")
        return found


class Servers:
    """The servers of a directory, in the order of preference. One that failed is avoided for a while."""

    def __init__(self, directory: Directory) -> None:
        """Take where they are."""
        self._directory = directory
        self._lock = threading.Lock()
        self._failed_at: dict[Address, float] = {}

    @contextmanager
    def open(self) -> Iterator[Session]:
        """Connect to the first server that answers. Raises Unavailable if none does, or it fails meanwhile."""
        address, connection = self._connected()
        try:
            yield Session(connection, self._directory.options.answer_seconds)
        except OutOfReach:
            # Not what a server says of somebody: one person must not end the sign-in of all.
            self._note_failure(address)
            raise
        finally:
            _close(connection)

    def open_each(self) -> Iterator[tuple[Address, Unavailable | None]]:
        """Try every server; for tests of a configuration."""
        for address in self._directory.addresses:
            try:
                _close(self._connect(address))
            except Unavailable as error:
                yield address, error
            else:
                yield address, None

    def _connected(self) -> tuple[Address, ldap3.Connection]:
        trouble = OutOfReach("no server of the directory answered a moment ago")
        for address in self._in_order():
            try:
                connection = self._connect(address)
            except OutOfReach as error:
                self._note_failure(address)
                trouble = error
            else:
                return address, connection
        raise trouble

    def _in_order(self) -> list[Address]:
        """Return the servers, those that failed lately behind the others; none if all did just now."""
        now, never = time.monotonic(), float("-inf")
        with self._lock:
            since = {each: now - self._failed_at.get(each, never) for each in self._directory.addresses}
        if all(seconds < _PAUSE_SECONDS for seconds in since.values()):
            return []
        return sorted(since, key=lambda each: since[each] < _AVOIDED_SECONDS)

    def _note_failure(self, address: Address) -> None:
        with self._lock:
            self._failed_at[address] = time.monotonic()

    def _connect(self, address: Address) -> ldap3.Connection:
        options = self._directory.options
        server = ldap3.Server(
            address.host,
            port=address.port,
            use_ssl=address.tls_first,
            tls=_CheckedTls(options.tls_ca, verify=options.tls_verify, seconds=options.answer_seconds),
            get_info=ldap3.NONE,
            connect_timeout=options.connect_seconds,
            allowed_referral_hosts=[],
        )
        with _outages():
            connection = ldap3.Connection(
                server,
                auto_bind=ldap3.AUTO_BIND_NONE,
                auto_referrals=False,
                auto_range=True,
                check_names=False,
                read_only=True,
                receive_timeout=options.answer_seconds,
                raise_exceptions=False,
                return_empty_attributes=False,
            )
            try:
                connection.open(read_server_info=False)
                # SECURITY: nothing is sent, no name and no password, before TLS is up.
                if not address.tls_first and not connection.start_tls(read_server_info=False):
                    raise OutOfReach("the directory does not start TLS")
            except BaseException:
                if connection.socket is not None:
                    connection.socket.close()
                raise
        return connection


class _CheckedTls(ldap3.Tls):  # type: ignore[misc]  # ldap3 has no types
    """TLS as Python's own defaults have it: 1.2 at least, the certificate and the name in it checked."""

    def __init__(self, authorities: str, *, verify: bool, seconds: int) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE)
        self._seconds = seconds
        self._context = ssl.create_default_context(cafile=authorities or None)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not verify:
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:
        # The socket option that ldap3 sets makes TLS try again for ever instead of giving up.
        connection.socket.settimeout(self._seconds)
        # The end of the handshake and the bind are two small writes; the second would wait 40 ms for the first.
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # SECURITY: in place of ldap3's own, which leaves the name in the certificate to code of its own.
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=connection.server.host, do_handshake_on_connect=do_handshake
        )


@contextmanager
def _outages() -> Iterator[None]:
    """Tell whatever goes wrong on the way as an outage."""
    try:
        yield
    except (LDAPException, OSError) as error:
        # Its text may hold what was sent; the kind of error is enough.
        raise OutOfReach(f"the directory is out of reach: {_words(error)}") from None


def _words(error: Exception) -> str:
    text = str(error)
    for words in ("hostname mismatch", "IP address mismatch", "certificate verify failed", "Connection refused"):
        if words.lower() in text.lower():
            return words
    return type(error).__name__


def _entries(connection: ldap3.Connection) -> list[Entry]:
    """Return what was found; referrals among it are dropped."""
    return [Entry(each) for each in connection.response or [] if each["type"] == "searchResEntry"]


def _close(connection: ldap3.Connection) -> None:
    try:
        connection.unbind()
    except (LDAPException, OSError):
        return
