"""One connection to the listener: HTTP/1.1 parsed by httptools, answered in order, within the limits.

The callbacks run for every request, so they do little; one write answers all that one read brought.
What a request is answered is said by a door, see `door.py`.

A gateway sends the same bytes over and over, and only the token is another one. So a request is not
parsed again if one that differed from it in nothing but the token was parsed before: see `familiar.py`.
"""

import asyncio
from typing import Protocol

import httptools

from gatepass.model.presented import TOKEN_LENGTH
from gatepass.verifier import limits
from gatepass.verifier.listener.familiar import FIELD, FIELD_LENGTH, Familiar
from gatepass.verifier.listener.fields import CROWDED, LAST
from gatepass.verifier.listener.request import Refused, Request

_HEADER_BYTES = limits.HEADER_BYTES
_BODY_RAW_BYTES = 8 * limits.BODY_BYTES + limits.HEADER_BYTES
"""A body in the smallest chunks there are takes six times its length."""
_END_OF_HEAD = b"\r\n\r\n"

# What a connection waits for.
_IDLE, _HEAD, _BODY, _WRITING, _DROPPING = range(5)
_SECONDS = {
    _IDLE: limits.KEEP_ALIVE_SECONDS,
    _HEAD: limits.HEADER_SECONDS,
    _BODY: limits.BODY_SECONDS,
    _WRITING: limits.BODY_SECONDS,  # the peer takes no answers, so nothing is read from it either
    _DROPPING: limits.DROPPED_SECONDS,  # refused: what is on its way is dropped
}


class Door(Protocol):
    """Says what is answered, and knows the connections."""

    connections: set["Connection"]
    tick: int
    """Seconds that have gone by."""
    familiar: Familiar
    """The requests that need no parser."""

    def answer_familiar(self, token: bytes) -> bytes | None:
        """Return the whole answer to a familiar request with this token; None if it has to be read. Never raises."""
        ...

    def answer(self, request: Request) -> bytes | None:
        """Return the whole answer to a complete request. Never raises.

        Sets its `is_plain` if nothing but the token decided on the answer. None: it comes later, by
        `request.fill` with the length of `out` as it is now; once, and not before this has returned.
        """
        ...

    def refusal(self, status: int) -> bytes:
        """Return the answer to what is no request; it says that the connection ends."""
        ...

    def wants_body(self, request: Request) -> bool:
        """Tell whether the body is to be kept."""
        ...

    def enter(self, connection: "Connection") -> int:
        """Take note of a new connection; return how many there are now."""
        ...

    def leave(self, connection: "Connection") -> None:
        """Forget a connection."""
        ...


class Connection(Request, asyncio.Protocol):
    """Reads requests, hands each to the door and writes its answers. The request that is read stands in it."""

    __slots__ = (
        "_answer", "_answer_familiar", "_careful", "_door", "_feed", "_held", "_rest", "_rest_of", "_since",
        "_state", "_token_from_end", "_transport", "_waiting", "_write",
    )  # fmt: skip

    def __init__(self, door: Door) -> None:
        """Answer with `door`."""
        super().__init__()
        self._door = door
        self._answer = door.answer
        self._answer_familiar = door.answer_familiar
        self._rest_of = door.familiar.shapes.get
        self._token_from_end = 0
        """How far before the end of a request its token began, of the last one that was looked at."""
        self._state, self._since = _HEAD, door.tick
        self._careful = False
        """Whether what is read next is not simply a new request."""
        self._held = 0
        """Bytes of an incomplete header block; while dropping, bytes dropped."""
        self._rest = b""
        """What was read and waits until the peer has taken its answers."""
        self._waiting = 0
        """How many answers are to come later."""
        self._new_parser()

    def _new_parser(self) -> None:
        self.parse_with(httptools.HttpRequestParser(self))
        self._feed = self.parser.feed_data

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection; one too many gets one answer, far too many none."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._write = self._transport.write
        name = transport.get_extra_info("peername")
        self.peer = name[0] if isinstance(name, tuple) else None
        connections = self._door.enter(self)
        if connections > limits.CONNECTIONS:
            self._mark(CROWDED)
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
        if self._waiting:
            return
        if self._state == _WRITING:
            self._wait()
        self._go_on()

    def _go_on(self) -> None:
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
        self._mark(LAST)

    def _mark(self, flag: int) -> None:
        self.seen |= flag
        self._careful = True  # such a request is not like one before it

    def close_if_idle(self) -> None:
        """Close if there was an answer and nothing has come since. Who has only connected may still ask."""
        if self._state == _IDLE:
            self._transport.close()

    # Reading.

    def data_received(self, data: bytes) -> None:
        """Answer what one read brought, with one write."""
        if self._careful:
            self._receive(data)
            return
        # Each is taken from `self` before it is called: CPython makes a call in one step slower where what is called
        # is an attribute and no method.
        rest_of, answer_familiar, write = self._rest_of, self._answer_familiar, self._write
        token_at = len(data) - self._token_from_end
        if rest_of(data[:token_at]) == data[token_at + TOKEN_LENGTH :] or (token_at := self._familiar_at(data)):
            answer = answer_familiar(data[token_at : token_at + TOKEN_LENGTH])
            if answer is not None:
                self._state, self._since = _IDLE, self._door.tick
                write(answer)
                return
        if len(data) > _HEADER_BYTES:
            self._receive(data)
            return
        self._parse(data)
        if self.has_begun:
            self._hold(data)
        if self.is_plain:
            self._remember(data)
        if self.out:
            self._flush()

    def _familiar_at(self, data: bytes) -> int:
        """Return where the token of a familiar request begins, though it is not where the last one's was; else 0."""
        token_at = data.rfind(FIELD) + FIELD_LENGTH
        self._token_from_end = len(data) - token_at
        return token_at if self._rest_of(data[:token_at]) == data[token_at + TOKEN_LENGTH :] else 0

    def _remember(self, data: bytes) -> None:
        """Note what was read, if that was one request and nothing else."""
        if len(self.out) == 1 and not self.has_begun and not self.closing:
            self._door.familiar.add(data)

    def fill(self, place: int, answer: bytes) -> None:
        """Put in an answer that came later. When none is missing any more they are written, in their order."""
        if self not in self._door.connections or self._transport.is_closing():
            return
        self.out[place] = answer
        self._waiting -= 1
        if self._waiting:
            return
        self._flush()
        if self._state == _IDLE:
            self._wait()
        self._go_on()
        if self.seen & LAST:
            self.close_if_idle()

    def _flush(self) -> None:
        if self._waiting:
            # SECURITY: answers keep the order of their requests. So nothing is written, and nothing more read.
            self._transport.pause_reading()
            self._enter(_WRITING)
            return
        out = self.out
        self._state, self._since = _IDLE, self._door.tick
        self._write(out[0] if len(out) == 1 else b"".join(out))
        out.clear()
        if self.closing:
            self._finish()
        elif self.has_begun:
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
            empty = 0 if self._held or self.in_body else len(data) - len(data.lstrip(b"\r\n"))
            room = _HEADER_BYTES - self._held + empty
            piece, data = data[:room], data[room:]
            self._parse(piece)
            if self.has_begun:
                self._hold(piece)
            else:
                self._held = 0
                self._careful = False
            if self.out:
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
            self.out.pop()  # nobody gets a tunnel, whatever its path was answered
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
        if self.in_body:
            self._held = 0
            # SECURITY: chunk sizes, extensions and a field behind the body are no part of its length.
            self.body_raw += len(piece)
            if self.body_raw > _BODY_RAW_BYTES:
                self._refuse(413)
                return
        elif self.out:
            # It begins behind the last block that ended here, or ended here with what an earlier piece began.
            # Behind a body that is not known: then the limit is up to one piece higher.
            at = max(piece.rfind(_END_OF_HEAD), 0)
            self._held = 1 if self.body_bytes else len(piece[at:].lstrip(b"\r\n"))
            self.body_bytes = 0
        else:
            self._held += len(piece if self._held else piece.lstrip(b"\r\n"))
        if self._held >= _HEADER_BYTES:
            self._refuse(431)
        elif self._state != (_BODY if self.in_body else _HEAD):
            self._wait()

    def _wait(self) -> None:
        """Begin to wait for the rest of a request, or for a new one."""
        self._enter(_IDLE if not self.has_begun else _BODY if self.in_body else _HEAD)

    def _enter(self, state: int) -> None:
        self._state, self._since = state, self._door.tick
        self._careful = state != _IDLE or self.seen != 0

    # Ending.

    def _refuse(self, status: int) -> None:
        """Answer with an error after what was answered before; that is the last."""
        if self.closing:
            return
        self.out.append(self._door.refusal(status))
        self.closing = True
        self.has_begun = False
        self.url = None

    def _finish(self) -> None:
        """Close, but let the peer read its last answer: closing upon unread bytes would reset the connection."""
        self._enter(_DROPPING)
        self._held = 0
        self.has_begun = False
        self.url = self.body = None
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _drop(self, data: bytes) -> None:
        self._held += len(data)
        if self._held > limits.DROPPED_BYTES:
            self._transport.abort()

    # What the request asks.

    def wants_body(self) -> bool:
        """Ask the door."""
        return self._door.wants_body(self)

    def on_message_complete(self) -> None:
        """Answer, and be ready for the next request."""
        answer = self._answer(self)
        if answer is None:
            self._waiting += 1
            answer = b""
        self.out.append(answer)
        self.clear()
