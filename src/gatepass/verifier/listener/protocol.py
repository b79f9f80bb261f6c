"""One connection to the listener: HTTP/1.1 parsed by httptools, answered in order, within the limits.

The callbacks run for every request, so they do little; one write answers all that one read brought.
What a request is answered is said by a door, see `door.py`.
"""

import asyncio
from typing import Protocol

import httptools

from gatepass.verifier import limits
from gatepass.verifier.listener.fields import (
    AUTHORIZATION,
    BODY,
    CONTENT_LENGTH,
    CROWDED,
    EXPECT,
    HOST,
    KINDS,
    LAST,
    REPEATED,
    TRANSFER_ENCODING,
)

_HEADER_BYTES = limits.HEADER_BYTES
_HEADER_FIELDS = limits.HEADER_FIELDS
_NEAR_LINE_LIMIT = limits.REQUEST_LINE_BYTES - 100
_LINE_REST = len("  HTTP/1.1")
_BODY_RAW_BYTES = 8 * limits.BODY_BYTES + limits.HEADER_BYTES
"""A body in the smallest chunks there are takes six times its length."""
_END_OF_HEAD = b"\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# What a connection waits for.
_IDLE, _HEAD, _BODY, _WRITING, _DROPPING = range(5)
_SECONDS = {
    _IDLE: limits.KEEP_ALIVE_SECONDS,
    _HEAD: limits.HEADER_SECONDS,
    _BODY: limits.BODY_SECONDS,
    _WRITING: limits.BODY_SECONDS,  # the peer takes no answers, so nothing is read from it either
    _DROPPING: limits.DROPPED_SECONDS,  # refused: what is on its way is dropped
}


class Refused(Exception):
    """Raised by a callback: it stops the parser, the request gets `status` and the connection ends."""

    def __init__(self, status: int) -> None:
        """Say with which status."""
        super().__init__(status)
        self.status = status


class Door(Protocol):
    """Says what is answered, and knows the connections."""

    tick: int
    """Seconds that have gone by."""

    def answer(self, request: "Connection") -> bytes:
        """Return the whole answer to a complete request. Never raises."""
        ...

    def refusal(self, status: int) -> bytes:
        """Return the answer to what is no request; it says that the connection ends."""
        ...

    def wants_body(self, request: "Connection") -> bool:
        """Tell whether the body is to be kept."""
        ...

    def enter(self, connection: "Connection") -> int:
        """Take note of a new connection; return how many there are now."""
        ...

    def leave(self, connection: "Connection") -> None:
        """Forget a connection."""
        ...


class Connection(asyncio.Protocol):
    """Reads requests, hands each to the door and writes its answers. The request that is read stands in it."""

    __slots__ = (
        "_answer", "_body_bytes", "_body_raw", "_careful", "_count", "_door", "_feed", "_held", "_in_body",
        "_out", "_rest", "_since", "_state", "_transport", "_write", "authorization", "body", "closing", "keeps_alive",
        "others", "parser", "peer", "seen", "url",
    )  # fmt: skip

    def __init__(self, door: Door) -> None:
        """Answer with `door`."""
        self._door = door
        self._answer = door.answer
        self._state, self._since = _HEAD, door.tick
        self._careful = False
        """Whether what is read next is not simply a new request."""
        self._held = 0
        """Bytes of an incomplete header block; while dropping, bytes dropped."""
        self._rest = b""
        """What was read and waits until the peer has taken its answers."""
        self._out: list[bytes] = []
        self._body_bytes = self._body_raw = 0
        self.closing = False
        """Set when an answer is the last one."""
        self.peer: str | None = None
        """The address of the other side; None on a unix socket."""
        self.url: bytes | None = None
        self.authorization = b""
        self.seen = 0
        """The bits of the fields that came, see `fields.py`."""
        self.others: list[tuple[int, bytes]] = []
        """Those of them that are not for every request, with their values."""
        self.body: list[bytes] | None = None
        self._count = 0
        self._in_body = False
        self._new_parser()

    def _new_parser(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self._feed = self.parser.feed_data
        self.keeps_alive = self.parser.should_keep_alive

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection; one too many gets one answer, far too many none."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._write = self._transport.write
        name = transport.get_extra_info("peername")
        self.peer = name[0] if isinstance(name, tuple) else None
        connections = self._door.enter(self)
        if connections > limits.CONNECTIONS:
            self.seen = CROWDED
        if connections > limits.CONNECTIONS * 2:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the protocol's signature
        """Forget it, and break the circle with the parser, so that nothing waits for the collector."""
        self._door.leave(self)
        self._rest = b""
        del self.parser, self._feed, self.keeps_alive

    def eof_received(self) -> bool:
        """Let a half-closed connection go: each complete request has its answer already."""
        return False

    def pause_writing(self) -> None:
        """Read no more until the peer has taken its answers."""
        self._transport.pause_reading()
        if self._state != _DROPPING:
            self._enter(_WRITING)

    def resume_writing(self) -> None:
        """Go on where reading stopped."""
        if self._state == _WRITING:
            self._wait()
        rest, self._rest = self._rest, b""
        if rest:
            self._receive(rest)
        if self._state != _WRITING and not self._transport.is_closing():
            self._transport.resume_reading()

    def check_time(self) -> None:
        """End the connection if what it waits for takes too long."""
        if self._door.tick - self._since > _SECONDS[self._state]:
            if self._state in {_WRITING, _DROPPING}:
                self._transport.abort()
            else:
                self._transport.close()

    def make_last(self) -> None:
        """Let the next answer be the last one: the process is about to end."""
        self.seen |= LAST

    def close_if_idle(self) -> None:
        """Close if there was an answer and nothing has come since. Who has only connected may still ask."""
        if self._state == _IDLE:
            self._transport.close()

    # Reading.

    def data_received(self, data: bytes) -> None:
        """Answer what one read brought, with one write."""
        if self._careful or len(data) > _HEADER_BYTES:
            self._receive(data)
            return
        self._parse(data)
        if self.url is not None:
            self._hold(data)
        if self._out:
            self._flush()

    def _flush(self) -> None:
        out = self._out
        self._state, self._since = _IDLE, self._door.tick
        self._write(out[0] if len(out) == 1 else b"".join(out))
        out.clear()
        if self.closing:
            self._finish()
        elif self.url is not None:
            self._wait()

    def _receive(self, data: bytes) -> None:
        """Take what is large or goes on with something, in pieces that no header block may be larger than."""
        while data:
            if self._state == _DROPPING:
                self._drop(data)
                return
            if self._state == _WRITING:
                self._rest += data
                return
            # Empty lines in front of a request are no part of it.
            empty = 0 if self._held or self._in_body else len(data) - len(data.lstrip(b"\r\n"))
            room = _HEADER_BYTES - self._held + empty
            piece, data = data[:room], data[room:]
            self._parse(piece)
            if self.url is None:
                self._held = 0
                self._careful = False
            else:
                self._hold(piece)
            if self._out:
                self._flush()
            if self._transport.is_closing():
                return

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self._feed(data)
            except httptools.HttpParserUpgrade as offer:
                data = self._behind(data, offer.args[0])
            except httptools.HttpParserCallbackError as error:
                # Stopped by one of our own callbacks; the parser tells why as the context.
                self._refuse(error.__context__.status if isinstance(error.__context__, Refused) else 503)
                return
            except httptools.HttpParserError:
                self._refuse(400)
                return
            else:
                return

    def _behind(self, data: bytes, at: int) -> bytes:
        """Return what is to be read next, behind a header block that ends at `at` and offers another protocol."""
        if self.parser.get_method() == b"CONNECT" and not self.closing:
            self._out.pop()  # nobody gets a tunnel, whatever its path was answered
            self._refuse(400)
        if self.closing:
            return b""
        # SECURITY: the parser stops behind the header block. No body may follow it (see on_headers_complete),
        # so what comes is the next request, whatever protocol was offered (RFC 9110, 7.8).
        self._new_parser()
        return data[at:]

    def _hold(self, piece: bytes) -> None:
        """Note that a request is incomplete; refuse a header block that has grown too large."""
        self._careful = True
        if self._in_body:
            self._held = 0
            # SECURITY: chunk sizes, extensions and a field behind the body are no part of its length.
            self._body_raw += len(piece)
            if self._body_raw > _BODY_RAW_BYTES:
                self._refuse(413)
                return
        elif self._out:
            # It begins behind the last block that ended here, or ended here with what an earlier piece began.
            # Behind a body that is not known: then the limit is up to one piece higher.
            at = max(piece.rfind(_END_OF_HEAD), 0)
            self._held = 1 if self._body_bytes else len(piece[at:].lstrip(b"\r\n"))
            self._body_bytes = 0
        else:
            self._held += len(piece if self._held else piece.lstrip(b"\r\n"))
        if self._held >= _HEADER_BYTES:
            self._refuse(431)
        elif self._state != (_BODY if self._in_body else _HEAD):
            self._wait()

    def _wait(self) -> None:
        """Begin to wait for the rest of a request, or for a new one."""
        self._enter(_IDLE if self.url is None else _BODY if self._in_body else _HEAD)

    def _enter(self, state: int) -> None:
        self._state, self._since = state, self._door.tick
        self._careful = state != _IDLE

    # Ending.

    def _refuse(self, status: int) -> None:
        """Answer with an error after what was answered before; that is the last."""
        if self.closing:
            return
        self._out.append(self._door.refusal(status))
        self.closing = True
        self.url = None

    def _finish(self) -> None:
        """Close, but let the peer read its last answer: closing upon unread bytes would reset the connection."""
        self._enter(_DROPPING)
        self._held = 0
        self.url = self.body = None
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _drop(self, data: bytes) -> None:
        self._held += len(data)
        if self._held > limits.DROPPED_BYTES:
            self._transport.abort()

    # What the parser calls.

    def on_url(self, url: bytes) -> None:
        """Take the request target, or a part of it."""
        if self.url is not None:
            url = self.url + url
        self.url = url
        if (
            len(url) > _NEAR_LINE_LIMIT
            and len(url) + len(self.parser.get_method()) + _LINE_REST > limits.REQUEST_LINE_BYTES
        ):
            raise Refused(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header field; most are nothing to us."""
        if self._in_body:
            raise Refused(400)  # behind the body: nothing limits how many there are
        self._count += 1
        kind = KINDS[name]
        if kind:
            self.seen |= kind << REPEATED if self.seen & kind else kind
            if kind == AUTHORIZATION:
                self.authorization = value
            elif kind != HOST:
                self.others.append((kind, value))

    def on_headers_complete(self) -> None:
        """Look at what decides how the rest is read."""
        self._in_body = True
        if self._count > _HEADER_FIELDS:
            raise Refused(431)
        if self.closing:
            raise Refused(400)  # nothing behind the last answer is answered, or asked to go on
        if self.seen & BODY:
            self._expect_body()

    def _expect_body(self) -> None:
        # SECURITY: a length told in two ways, or in one that the version does not know, is how requests are smuggled.
        chunked = self.seen & TRANSFER_ENCODING
        if self.parser.should_upgrade() or (
            chunked and (self.seen & CONTENT_LENGTH or self.parser.get_http_version() != "1.1")
        ):
            raise Refused(400)
        for kind, value in self.others:
            if kind == CONTENT_LENGTH and int(value) > limits.BODY_BYTES:
                raise Refused(413)
        if any(kind == EXPECT and value.lower() == b"100-continue" for kind, value in self.others):
            self._out.append(_CONTINUE)
        self._body_bytes = self._body_raw = 0
        self.body = [] if self._door.wants_body(self) else None

    def on_body(self, part: bytes) -> None:
        """Keep the body if somebody wants it; within the limit in either case."""
        self._body_bytes += len(part)
        if self._body_bytes > limits.BODY_BYTES:
            raise Refused(413)
        if self.body is not None:
            self.body.append(part)

    def on_message_complete(self) -> None:
        """Answer, and be ready for the next request."""
        self._out.append(self._answer(self))
        self.url = None
        self.authorization = b""
        self.seen = self._count = 0
        self._in_body = False
        if self.others:
            self.others.clear()
            self.body = None
