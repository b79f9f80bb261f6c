"""Limits on requests that uvicorn does not keep, on the level of the connection.

Header block over 16 KiB or 100 fields: 431. Header block not complete within 5 seconds, body not
within 10, or header fields behind the body: closed. What is too large and already on its way is
read and dropped for a while, so that the client gets to see the answer. An offer to upgrade the
connection is not taken up: the request is read as if it had not been made (RFC 9110, 7.8).
"""

import asyncio
import secrets
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gatepass.server.client import certified_in
from gatepass.verifier.limits import (
    BODY_SECONDS,
    CONNECTIONS,
    DROPPED_BYTES,
    DROPPED_SECONDS,
    HEADER_BYTES,
    HEADER_FIELDS,
    HEADER_SECONDS,
)

_FIELD_OVERHEAD = len(": \r\n")

_TOO_LARGE = b"431 Request Header Fields Too Large"
_BAD = b"400 Bad Request"


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with the limits above."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Start in front of the first header block."""
        super().__init__(*args, **kwargs)
        self._in_header = True
        self._header_bytes = 0
        self._body_bytes = 0
        self._refused = False
        self._certified: frozenset[str] = frozenset()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first header block its time, and see who the client has proven to be."""
        super().connection_made(transport)
        self._certified = certified_in(transport.get_extra_info("peercert"))
        self._allow(HEADER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._allow(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Refuse a header block that grows too large before it is complete."""
        self._header_bytes += len(data)
        if self._refused:
            if self._header_bytes > DROPPED_BYTES:
                self.transport.close()
            return
        self._unset_keepalive_if_required()
        self._feed(data)
        if self._in_header and self._header_bytes > HEADER_BYTES:
            self._refuse(answer=True)

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as offer:
                # SECURITY: the parser stops here, and what follows would be read as a request of its own.
                data = self._head_without_upgrade() + data[offer.args[0] :]
            except httptools.HttpParserError:
                self.send_400_response("")
                return

    def _head_without_upgrade(self) -> bytes:
        """Return the header block just read as if it had not offered to upgrade, for a new parser."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode("ascii")
        kept = [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        if method == b"CONNECT":
            return b"?"  # no request of ours, and no HTTP
        return b"%s %s HTTP/%s\r\n%s\r\n" % (method, self.url, version, b"".join(kept))

    def send_400_response(self, _: str) -> None:
        """Answer what is no HTTP, and close."""
        if not self.transport.is_closing():
            self._answer(_BAD)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Give each header block its own size and time."""
        super().on_message_begin()
        self._in_header = True
        self._header_bytes = 0
        self._allow(HEADER_SECONDS)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Refuse trailers: they would join the headers of a request that is being answered."""
        if self._in_header:
            super().on_header(name, value)
        else:
            self._refuse(answer=False)

    def on_headers_complete(self) -> None:
        """Refuse what is too large, else hand the request on."""
        if self.parser.should_upgrade():
            return  # it is read again, see `_feed`
        self._in_header = False
        self._body_bytes = 0
        self.scope["state"].update(crowded=len(self.connections) > CONNECTIONS, certified=self._certified)
        size = len(self.url) + sum(len(name) + len(value) + _FIELD_OVERHEAD for name, value in self.headers)
        if size > HEADER_BYTES or len(self.headers) > HEADER_FIELDS:
            self._refuse(answer=True)
        elif self.parser.get_http_version() == "1.1" and [name for name, _ in self.headers].count(b"host") != 1:
            self._refuse(answer=True, status=_BAD)  # RFC 9112, 3.2
        elif not self._refused:
            self._allow(BODY_SECONDS)
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand the body on, unless nobody will read it any more."""
        self._body_bytes += len(body)
        if self._body_bytes > DROPPED_BYTES:
            self._refuse(answer=False)
        elif not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop the clock: what takes time now is ours."""
        self._allow(None)
        if not self._refused and not self.parser.should_upgrade():
            super().on_message_complete()

    def _refuse(self, *, answer: bool, status: bytes = _TOO_LARGE) -> None:
        """Answer, drop what follows, and close once what came before has been answered."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._allow(None)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False
        elif answer:
            self._answer(status)
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self._allow(DROPPED_SECONDS)
        else:
            self.transport.close()

    def _answer(self, status: bytes) -> None:
        request_id = secrets.token_hex(8).encode()
        self.transport.write(
            b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\nx-request-id: %s\r\n\r\n" % (status, request_id)
        )

    def _allow(self, seconds: float | None) -> None:
        """Close the connection if the present part takes longer than `seconds`; None: no limit."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self.transport.close)
