"""The request that is being read: what the parser's callbacks leave of it.

They run for every request that is parsed, so they do little and keep only what some answer depends on.
"""

from abc import ABC, abstractmethod

import httptools

from gatepass.verifier import limits
from gatepass.verifier.listener.fields import (
    AUTHORIZATION,
    BODY,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    KINDS,
    REPEATED,
    TRANSFER_ENCODING,
)

_HEADER_FIELDS = limits.HEADER_FIELDS
_NEAR_LINE_LIMIT = limits.REQUEST_LINE_BYTES - 100
_LINE_REST = len("  HTTP/1.1")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Refused(Exception):
    """Raised by a callback: it stops the parser, the request gets `status` and the connection ends."""

    def __init__(self, status: int) -> None:
        """Say with which status."""
        super().__init__(status)
        self.status = status


class Request(ABC):
    """One after the other on one connection."""

    __slots__ = (
        "_count", "authorization", "body", "body_bytes", "body_raw", "closing", "has_begun", "in_body", "is_plain",
        "keeps_alive", "others", "out", "parser", "peer", "seen", "url",
    )  # fmt: skip

    def __init__(self) -> None:
        """Begin with none."""
        self.out: list[bytes] = []
        """The answers to the requests before it that are not written yet."""
        self.closing = False
        """Set when an answer is the last one."""
        self.peer: str | None = None
        """The address of the other side; None on a unix socket."""
        self.has_begun = self.in_body = False
        """Whether it has begun and not ended, and whether its header block has."""
        self.is_plain = False
        """Set by the door: the next request with these bytes, but for the token, needs no parser."""
        self.url: bytes | None = None
        self.authorization = b""
        self.seen = 0
        """The bits of the fields that came, see `fields.py`."""
        self.others: list[tuple[int, bytes]] = []
        """Those of them that are not for every request, with their values."""
        self._count = 0
        self.body: list[bytes] | None = None
        self.body_bytes = self.body_raw = 0
        """Of the body, and of all that was read of it with the framing."""

    def parse_with(self, parser: httptools.HttpRequestParser) -> None:
        """Be told by `parser`, which calls the methods below."""
        self.parser = parser
        self.keeps_alive = parser.should_keep_alive

    @abstractmethod
    def wants_body(self) -> bool:
        """Tell whether the body is to be kept."""

    @abstractmethod
    def fill(self, place: int, answer: bytes) -> None:
        """Put in an answer that came later, at the place in `out` that was kept for it."""

    def clear(self) -> None:
        """Be ready for the next request."""
        self.has_begun = self.in_body = False
        self.url = None
        self.authorization = b""
        self.seen = self._count = 0
        if self.others:
            self.others.clear()
            self.body = None

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Take the first letter of a request."""
        self.has_begun = True
        self.is_plain = False

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
        if self.in_body:
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
        self.in_body = True
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
            self.out.append(_CONTINUE)
        self.body_bytes = self.body_raw = 0
        self.body = [] if self.wants_body() else None

    def on_body(self, part: bytes) -> None:
        """Keep the body if somebody wants it; within the limit in either case."""
        self.body_bytes += len(part)
        if self.body_bytes > limits.BODY_BYTES:
            raise Refused(413)
        if self.body is not None:
            self.body.append(part)
