"""Malformed and hostile requests for the listener, each with what it is answered: data, for tests and soaks.

`TOKEN` in a request stands for a good token. `expected` are the statuses in their order, `()` is a connection closed
without an answer. Nobody may be let in by what is written behind a refused request: LAST would tell.
"""

from dataclasses import dataclass

TOKEN = b"TOKEN"
GOOD = b"GET /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n"
BARE = b"GET /verify HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
OFFER = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


@dataclass(frozen=True)
class Case:
    """One connection: what is sent on it, and what comes back until it is closed."""

    name: str
    parts: tuple[bytes, ...]
    expected: tuple[int, ...]
    half_close: bool = False
    pause: float = 0
    one_by_one: bool = False
    """Each byte in a piece of its own."""
    slow: bool = False
    """It takes as long as the limit it is about."""

    def sent(self, token: str) -> list[bytes]:
        """Return the pieces with a good token in them."""
        pieces = [part.replace(TOKEN, token.encode()) for part in self.parts]
        return [bytes([each]) for piece in pieces for each in piece] if self.one_by_one else pieces


def post(fields: bytes, body: bytes = b"", path: bytes = b"/verify") -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n" + body


def get(fields: bytes = b"", path: bytes = b"/livez", *, last: bool = True) -> bytes:
    ending = b"Connection: close\r\n" if last else b""
    return b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + ending + fields + b"\r\n"


def many(count: int) -> bytes:
    return b"".join(b"X-%d: v\r\n" % number for number in range(count))


def chunked(size: int, chunk: int = 4096) -> bytes:
    parts = (b"x" * min(chunk, size - at) for at in range(0, size, chunk))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _case(name: str, *parts: bytes, expect: tuple[int, ...] = (400,), **more: object) -> Case:
    return Case(name, parts, expect, **more)  # type: ignore[arg-type]


SIZES = (
    _case("98 fields and two more pass", get(many(98)), expect=(200,)),
    _case("101 fields", get(many(99)), expect=(431,)),
    _case("5000 fields", get(many(5000)), expect=(431,)),
    _case("a header block under 16 KiB passes", get(b"X: " + b"v" * 16_200 + b"\r\n"), expect=(200,)),
    _case("a header block over 16 KiB", get(b"X: " + b"v" * 16_400 + b"\r\n"), expect=(431,)),
    _case("a header block over 16 KiB, the request behind it", get(b"X: " + b"v" * 16_400 + b"\r\n"), GOOD, LAST, expect=(431,)),
    _case("a header block over 16 KiB behind a good request", GOOD + get(b"X: " + b"v" * 16_400 + b"\r\n"), expect=(200, 431)),
    _case("a header of a mebibyte", get(b"X: " + b"v" * 2**20 + b"\r\n"), expect=(431,)),
    _case("a header block that never ends", b"GET / HTTP/1.1\r\nX: ", *[b"v" * 4096] * 10, expect=(431,), pause=0.005),
    _case("a field name of 20 KiB", get(b"X" * 20_000 + b": v\r\n"), expect=(431,)),
    _case("a request line of 8 KiB passes", get(path=b"/verify?" + b"a" * (8192 - 21)), expect=(401,)),
    _case("a request line over 8 KiB", get(path=b"/verify?" + b"a" * (8192 - 20)), expect=(414,)),
    _case("a path of a mebibyte", get(path=b"/" + b"a" * 2**20), expect=(414,)),
    _case("a path that never ends", b"GET /", *[b"a" * 1000] * 20, expect=(414,), pause=0.005),
    _case("a body of 64 KiB passes", post(b"Connection: close\r\nContent-Length: 65536\r\n", b"x" * 65_536), expect=(401,)),
    _case("a body over 64 KiB", post(b"Content-Length: 65537\r\n", b"x" * 65_537), LAST, expect=(413,)),
    _case("a body of a terabyte, announced", post(b"Content-Length: 1000000000000\r\n"), LAST, expect=(413,)),
    _case("a chunked body of 64 KiB passes", post(b"Connection: close\r\nTransfer-Encoding: chunked\r\n", chunked(65_536)), expect=(401,)),
    _case("a chunked body over 64 KiB", post(b"Transfer-Encoding: chunked\r\n", chunked(65_537)), LAST, expect=(413,)),
    _case("a chunked body of single bytes over 64 KiB", post(b"Transfer-Encoding: chunked\r\n", chunked(65_537, 1)), expect=(413,)),
    _case("one chunk of 4 GiB", post(b"Transfer-Encoding: chunked\r\n", b"ffffffff\r\n" + b"x" * 70_000), expect=(413,)),
)  # fmt: skip

SMUGGLING = (
    _case("Content-Length, then Transfer-Encoding", post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), GOOD),
    _case("Transfer-Encoding, then Content-Length", post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"), GOOD),
    _case("two different Content-Length", post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!"), GOOD),
    _case("twice the same Content-Length", post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), GOOD),
    _case("Content-Length as a list", post(b"Content-Length: 5, 5\r\n", b"hello"), GOOD),
    _case("Content-Length with a plus", post(b"Content-Length: +5\r\n", b"hello"), GOOD),
    _case("Content-Length below nought", post(b"Content-Length: -1\r\n", b"hello"), GOOD),
    _case("Content-Length in hexadecimal", post(b"Content-Length: 0x5\r\n", b"hello"), GOOD),
    _case("Content-Length beyond 64 bits", post(b"Content-Length: 99999999999999999999\r\n", b"hello"), GOOD),
    _case("an empty Content-Length", post(b"Content-Length:\r\n", b"hello"), GOOD),
    _case("a space before the colon", post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"), GOOD),
    _case("a field name that begins with a space", get(b" Transfer-Encoding: chunked\r\n"), GOOD),
    _case("an unknown Transfer-Encoding", post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"), GOOD),
    _case("chunked, but not last", post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"), GOOD),
    _case("Transfer-Encoding in HTTP/1.0", b"POST /verify HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", GOOD),
    _case("a chunk size that is no number", post(b"Transfer-Encoding: chunked\r\n", b"ZZ\r\n\r\n"), GOOD),
    _case("a chunk size beyond 64 bits", post(b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffffff\r\n"), GOOD),
    _case("a chunk size below nought", post(b"Transfer-Encoding: chunked\r\n", b"-1\r\n\r\n"), GOOD),
    _case("a chunk without its end", post(b"Transfer-Encoding: chunked\r\n", b"1\r\nxx\r\n0\r\n\r\n"), GOOD),
    _case("a chunk size line ended by LF alone", post(b"Transfer-Encoding: chunked\r\n", b"1\nx\n0\n\n"), GOOD),
    _case("header fields behind a body", post(b"Transfer-Encoding: chunked\r\n", b"1\r\nx\r\n0\r\nAuthorization: Bearer TOKEN\r\n\r\n"), LAST),
    _case("fields behind a body without end", post(b"Transfer-Encoding: chunked\r\n", b"0\r\n" + b"x-request-id: a\r\n" * 40_000), LAST),
    _case("a field behind a body without end", post(b"Transfer-Encoding: chunked\r\n", b"0\r\nx: " + b"a" * 2**20), LAST, expect=(413,)),
    _case("a chunk extension without end", post(b"Transfer-Encoding: chunked\r\n", b"1;x=" + b"a" * 2**20), LAST, expect=(413,)),
    _case("a folded field", get(b"X: a\r\n b\r\n"), GOOD),
    _case("lines ended by LF alone", b"GET /verify HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\n\n", GOOD),
    _case("a lone CR in a value", get(b"X: a\rb\r\n"), GOOD),
    _case("a NUL in a value", get(b"X: a\x00b\r\n"), GOOD),
    _case("a NUL in a name", get(b"X\x00Y: a\r\n"), GOOD),
    _case("a line without a colon", get(b"no colon\r\n"), GOOD),
    _case("an empty field name", get(b": v\r\n"), GOOD),
    _case("a body behind an offer to upgrade", post(OFFER + b"Content-Length: %d\r\n" % len(BARE), BARE), GOOD),
    _case("a chunked body behind an offer to upgrade", post(OFFER + b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"), GOOD),
    _case("a good request as a body is a body", post(b"Content-Length: %d\r\n" % (len(GOOD) - len(TOKEN) + 66), GOOD), LAST, expect=(401, 200)),
    _case("an offer to upgrade is not taken up", get(OFFER, b"/verify", last=False) + LAST, expect=(401, 200)),
)  # fmt: skip

SHAPES = (
    _case("no HTTP at all", b"GARBAGE\r\n\r\n"),
    _case("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    _case("nothing but NULs", b"\x00" * 100),
    _case("the HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    _case("HTTP/2.0 in a request line", b"GET /verify HTTP/2.0\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n", GOOD),
    _case("HTTP/9.9", b"GET /verify HTTP/9.9\r\nHost: x\r\n\r\n", GOOD),
    _case("HTTP/0.9", b"GET /verify\r\n\r\n", GOOD),
    _case("HTTP/0.9 in a request line", b"GET /verify HTTP/0.9\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n", GOOD),
    _case("another protocol", b"GET /verify FTP/1.1\r\nHost: x\r\n\r\n", GOOD),
    _case("an unknown method", b"STEAL /verify HTTP/1.1\r\nHost: x\r\n\r\n", GOOD),
    _case("a space in the path", b"GET /ver ify HTTP/1.1\r\nHost: x\r\n\r\n", GOOD),
    _case("CONNECT", b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", GOOD),
    _case("CONNECT to a path", b"CONNECT /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n", GOOD),
    _case("a target that is no path", b"GET verify HTTP/1.1\r\nHost: x\r\n\r\n", GOOD),
    _case("a target of another scheme", b"GET ftp://x/verify HTTP/1.1\r\nHost: x\r\n\r\n", GOOD),
    _case("no Host", b"GET /verify HTTP/1.1\r\nAuthorization: Bearer TOKEN\r\n\r\n", GOOD),
    _case("two Hosts", b"GET /verify HTTP/1.1\r\nHost: x\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n", GOOD),
    _case("two Hosts in two spellings", b"GET /verify HTTP/1.1\r\nHost: x\r\nhOST: y\r\nAuthorization: Bearer TOKEN\r\n\r\n", GOOD),
    _case("two tokens", get(b"Authorization: Bearer TOKEN\r\nAuthorization: Bearer TOKEN\r\n", b"/verify"), expect=(401,)),
    _case("two tokens in two spellings", get(b"Authorization: Bearer TOKEN\r\nAUTHORIZATION: Bearer TOKEN\r\n", b"/verify"), expect=(401,)),
    _case("a token behind two spaces", get(b"Authorization: Bearer  TOKEN\r\n", b"/verify"), expect=(401,)),
    _case("a token behind a tab", get(b"Authorization: Bearer\tTOKEN\r\n", b"/verify"), expect=(401,)),
    _case("a token with more behind it", get(b"Authorization: Bearer TOKEN, Bearer TOKEN\r\n", b"/verify"), expect=(401,)),
    _case("a token that is not ASCII", get(b"Authorization: Bearer \xff\xfe\xe9\r\n", b"/verify"), expect=(401,)),
    _case("a token of 66 bytes that are not ASCII", get(b"Authorization: Bearer " + b"\xe9" * 66 + b"\r\n", b"/verify"), expect=(401,)),
    _case("a token of 16000 bytes", get(b"Authorization: Bearer " + b"a" * 16_000 + b"\r\n", b"/verify"), expect=(401,)),
    _case("a token in the query", get(path=b"/verify?access_token=TOKEN"), expect=(401,)),
    _case("a token in a cookie", get(b"Cookie: token=TOKEN\r\n", b"/verify"), expect=(401,)),
    _case("an encoded path", get(b"Authorization: Bearer TOKEN\r\n", b"/%76erify"), expect=(404,)),
    _case("a path with dots", get(b"Authorization: Bearer TOKEN\r\n", b"/x/../verify"), expect=(404,)),
    _case("a path with two slashes", get(b"Authorization: Bearer TOKEN\r\n", b"//verify"), expect=(404,)),
    _case("a path in capitals", get(b"Authorization: Bearer TOKEN\r\n", b"/VERIFY"), expect=(404,)),
    _case("a path that only begins so", get(b"Authorization: Bearer TOKEN\r\n", b"/verifyx"), expect=(404,)),
    _case("another route", get(b"Authorization: Bearer TOKEN\r\n", b"/v4/people/current"), expect=(404,)),
    _case("a scope that is none", get(b"Authorization: Bearer TOKEN\r\n", b"/verify?scope=%ff"), expect=(403,)),
    _case("65 scopes", get(b"Authorization: Bearer TOKEN\r\n", b"/verify?scope=" + b"+".join(b"a:%d" % n for n in range(65))), expect=(403,)),
    _case("200 query fields", get(b"Authorization: Bearer TOKEN\r\n", b"/verify?" + b"&".join(b"a=%d" % n for n in range(200))), expect=(403,)),
    _case("livez by POST", post(b"Connection: close\r\n", path=b"/livez"), expect=(405,)),
)  # fmt: skip

PIPELINES = (
    _case("six requests in one piece", GOOD + BARE + GOOD + GOOD + BARE + LAST, expect=(200, 401, 200, 200, 401, 200)),
    _case("three requests byte by byte", GOOD + BARE + LAST, expect=(200, 401, 200), one_by_one=True),
    _case("a thousand requests in one piece", BARE * 999 + LAST, expect=(*[401] * 999, 200)),
    _case("empty lines between requests", GOOD + b"\r\n\r\n" + GOOD + b"\r\n" + LAST, expect=(200, 200, 200)),
    _case("a request behind a refused one", GOOD + b"GET / HTTP/1.1\r\nX\r\n\r\n" + GOOD + LAST, expect=(200, 400)),
    _case("a request behind the last one", LAST + GOOD, expect=(200,)),
    _case("a request behind the last one, later", LAST, GOOD, expect=(200,), pause=0.05),
    _case("a request behind one of HTTP/1.0", b"GET /livez HTTP/1.0\r\n\r\n" + GOOD, expect=(200,)),
    _case("a request behind one of HTTP/1.0 that asks to keep the connection", b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + GOOD, expect=(200,)),
    _case("a body, then a request", post(b"Content-Length: 3\r\n", b"abc") + GOOD + LAST, expect=(401, 200, 200)),
    _case("Expect: 100-continue", post(b"Expect: 100-continue\r\nContent-Length: 3\r\n"), b"abc" + LAST, expect=(100, 401, 200), pause=0.1),
    _case("Expect: 100-continue behind a refused request", b"GET / HTTP/1.1\r\n\r\n" + post(b"Expect: 100-continue\r\nContent-Length: 3\r\n"), b"abc"),
    _case("300 offers to upgrade", get(OFFER, last=False) * 300 + LAST, expect=(200,) * 301),
)  # fmt: skip

HALF_CLOSED = (
    _case("half-closed before anything", expect=(), half_close=True),
    _case("half-closed in a request line", b"GET /ver", expect=(), half_close=True),
    _case("half-closed in a header block", b"GET /verify HTTP/1.1\r\nHost: x\r\n", expect=(), half_close=True),
    _case("half-closed in a body", post(b"Content-Length: 50\r\n", b"abc"), expect=(), half_close=True),
    _case("half-closed behind a request", GOOD, expect=(200,), half_close=True),
    _case("half-closed behind a request and a half", GOOD + b"GET /ver", expect=(200,), half_close=True),
)  # fmt: skip

TIMES = (
    _case("a connection that says nothing", expect=(), slow=True),
    _case("a request line that does not end", b"GET /ver", expect=(), slow=True),
    _case("a header block that does not end", b"GET /verify HTTP/1.1\r\nHost: x\r\n", expect=(), slow=True),
    _case("a header block byte by byte", b"GET /verify HTTP/1.1\r\nX: ", *[b"a"] * 24, expect=(), slow=True, pause=0.3),
    _case("empty lines and nothing else", *[b"\r\n"] * 24, expect=(), slow=True, pause=0.3),
    _case("a second header block that does not end", GOOD, b"GET /verify HTTP/1.1\r\n", expect=(200,), slow=True, pause=0.1),
    _case("a body that does not come", post(b"Content-Length: 50\r\n", b"abc"), expect=(), slow=True),
    _case("a body byte by byte", post(b"Content-Length: 50\r\n"), *[b"a"] * 40, expect=(), slow=True, pause=0.3),
)  # fmt: skip

CASES = (*SIZES, *SMUGGLING, *SHAPES, *PIPELINES, *HALF_CLOSED, *TIMES)
