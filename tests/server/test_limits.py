"""The connection itself, on raw sockets: sizes, times, shapes made to confuse, and what is never answered."""

import re
import socket
import time
from pathlib import Path

import pytest

from support.listener import read_all
from support.server import EMAIL, PASSWORD, Server, basic_header
from support.waiting import poll

OK = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SECONDS = 12
ESTABLISHED = "01"


def talk(server: Server, *parts: bytes, pause: float = 0, half_close: bool = False) -> bytes:
    """Send parts, return all that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused while we were still sending
        return read_all(connection)


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


@pytest.fixture(autouse=True)
def healthy_afterwards(server: Server):
    yield
    assert server.request("GET", "/livez").status == 200


def headers(count: int, size: int = 1) -> bytes:
    return b"".join(b"X-%d: %s\r\n" % (number, b"v" * size) for number in range(count))


def request(extra: bytes, path: bytes = b"/livez") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + extra + b"\r\n"


def test_a_hundred_headers_pass_and_one_more_is_431(server: Server) -> None:
    assert statuses(talk(server, request(headers(98)))) == [200]
    assert statuses(talk(server, request(headers(99)))) == [431]


def test_five_thousand_headers_are_431(server: Server) -> None:
    assert statuses(talk(server, request(headers(5000)))) == [431]


def test_a_header_block_of_16_kib_passes_and_more_is_431(server: Server) -> None:
    assert statuses(talk(server, request(b"X: " + b"v" * 16_000 + b"\r\n"))) == [200]
    assert statuses(talk(server, request(b"X: " + b"v" * 16_400 + b"\r\n"))) == [431]


def test_a_header_of_a_mebibyte_is_431_and_the_client_gets_to_see_it(server: Server) -> None:
    assert statuses(talk(server, request(b"X: " + b"v" * 2**20 + b"\r\n"))) == [431]


def test_a_path_of_a_mebibyte_is_431(server: Server) -> None:
    assert statuses(talk(server, request(b"", b"/" + b"a" * 2**20))) == [431]


def test_a_header_block_without_end_is_431_before_it_ends(server: Server) -> None:
    assert statuses(talk(server, b"GET / HTTP/1.1\r\nX: ", *[b"v" * 4096] * 10, pause=0.01)) == [431]


def test_a_431_has_an_id_and_closes(server: Server) -> None:
    answer = talk(server, request(headers(200)))
    assert b"x-request-id: " in answer
    assert b"connection: close" in answer


def test_a_header_sent_byte_by_byte_is_closed_after_five_seconds(server: Server) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        connection.settimeout(0.1)
        answer = None
        while answer is None and time.monotonic() - began < SECONDS:
            try:
                connection.sendall(b"a")
                answer = connection.recv(1024)
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
    assert answer == b""
    assert 4 < time.monotonic() - began < SECONDS


def test_a_connection_that_says_nothing_is_closed(server: Server) -> None:
    assert talk(server) == b""


def test_a_second_request_that_never_ends_is_closed_too(server: Server) -> None:
    answer = talk(server, OK, b"GET /livez HTTP/1.1\r\nHost: x\r\n", pause=0.2)
    assert statuses(answer) == [200]


def test_a_body_that_never_comes_is_closed_after_ten_seconds(server: Server) -> None:
    head = (
        b"POST /v4/apiAccessTokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
    )
    assert statuses(talk(server, head)) in ([], [401])


def chunked(size: int, chunk: int = 4096) -> bytes:
    body = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part) for part in (b"x" * min(chunk, size - at) for at in range(0, size, chunk))
    )
    head = b"POST /v4/apiAccessTokens HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + body + b"0\r\n\r\n"


def test_a_chunked_body_over_64_kib_is_413(server: Server) -> None:
    assert statuses(talk(server, chunked(65_536))) == [401]
    assert statuses(talk(server, chunked(65_537))) == [413]
    assert statuses(talk(server, chunked(2**20))) == [413]


def test_an_endless_body_is_closed(server: Server) -> None:
    head = b"POST /v4/apiAccessTokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    assert statuses(talk(server, head, *[chunk] * 200)) in ([413], [])


@pytest.mark.parametrize(
    "head",
    [
        b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nhello",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nhello",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
        b"GET /livez HTTP/1.1\nHost: x\n\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX\x00Y: a\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /livez FTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /li vez HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100,
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_a_request_of_doubtful_shape_is_400_or_closed_and_nothing_behind_it_is_served(
    server: Server, head: bytes
) -> None:
    answer = talk(server, head + LAST, half_close=True)
    assert [status for status in statuses(answer) if status != 400] == [], answer
    assert statuses(answer).count(400) <= 1


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET /livez HTTP/1.0\r\n\r\n", 200),
        (b"GET  /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET http://other.example/livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        (b"TRACE /v4/apiAccessTokens HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n", 200),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n", 200),
        (b"GET /livez?%00%ff%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        (b"GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET /v4/%ff%fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", 200),
    ],
)
def test_an_unusual_request_gets_one_answer(server: Server, head: bytes, expected: int) -> None:
    answer = talk(server, head)
    assert [status for status in statuses(answer) if status != 100] == [expected]


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    value, _ = server.create_token()
    good = b"GET /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n" % value.encode()
    bad = b"GET /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer nonsense\r\n\r\n"
    assert statuses(talk(server, good + bad + good + OK + bad + LAST)) == [200, 401, 200, 200, 401, 200]


def test_a_request_behind_a_refused_one_is_never_served(server: Server) -> None:
    assert statuses(talk(server, request(headers(200)) + OK + LAST)) == [431]
    assert statuses(talk(server, OK + OK + request(headers(200)) + LAST)) == [200, 200]


def test_fields_behind_a_body_never_become_headers(server: Server) -> None:
    value, _ = server.create_token()
    sent = (
        b"POST /verify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n"
        b"1\r\nx\r\n0\r\nAuthorization: Bearer %s\r\n\r\n" % value.encode()
    )
    assert 200 not in statuses(talk(server, sent))


def test_a_half_closed_connection_is_let_go(server: Server) -> None:
    assert statuses(talk(server, b"GET /livez HTTP/1.1\r\n", half_close=True)) == []


def connected(server: Server) -> int:
    """Return how many connections a server holds. Its own open files are nobody's business (not dumpable)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return sum(row[1].endswith(f":{server.port:04X}") and row[3] == ESTABLISHED for row in rows)


def test_a_thousand_idle_connections_do_not_stop_the_others(own_server: Server) -> None:
    idle = []
    try:
        for _ in range(900):
            idle.append(socket.create_connection(("127.0.0.1", own_server.port), timeout=SECONDS))  # noqa: PERF401  one may fail
        value, _ = own_server.create_token()
        assert own_server.request("GET", "/verify", bearer=value).status == 200
        for _ in range(200):
            idle.append(socket.create_connection(("127.0.0.1", own_server.port), timeout=SECONDS))  # noqa: PERF401
        crowded = own_server.request("GET", "/verify", bearer=value)
        assert (crowded.status, crowded.body, crowded.headers["retry-after"]) == (503, b"", "1")
        assert own_server.request("GET", "/v4/people/current", bearer=value).error == "ServiceUnavailableException"
        deadline = time.monotonic() + SECONDS
        while own_server.request("GET", "/verify", bearer=value).status != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        for connection in idle:
            connection.close()
    assert poll(lambda: connected(own_server) < 300)


OFFER = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


@pytest.mark.parametrize("pause", [0, 0.3])
def test_a_body_behind_an_offer_to_upgrade_never_becomes_a_request(server: Server, pause: float) -> None:
    value, _ = server.create_token()
    hidden = b"GET /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n" % value.encode()
    head = b"POST /verify HTTP/1.1\r\nHost: x\r\n" + OFFER + b"Content-Length: %d\r\n\r\n" % len(hidden)
    parts = [head, hidden, LAST] if pause else [head + hidden + LAST]
    assert statuses(talk(server, *parts, pause=pause)) == [401, 200]


def test_an_offer_to_upgrade_is_answered_as_if_it_had_not_been_made(server: Server) -> None:
    assert statuses(talk(server, (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + OFFER + b"\r\n") * 300 + LAST)) == [200] * 301
    body = b'{"lifetimeSeconds":60}'
    made = talk(
        server,
        b"POST /v4/apiAccessTokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        + OFFER.replace(b"Upgrade\r\n", b"Upgrade, close\r\n", 1)
        + f"Authorization: {basic_header(EMAIL, PASSWORD)}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body,
    )
    assert statuses(made) == [201]


def test_connect_is_400(server: Server) -> None:
    assert statuses(talk(server, b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n")) == [400]


def test_what_is_no_http_is_400_with_an_id_and_no_body(server: Server) -> None:
    answer = talk(server, b"GARBAGE\r\n\r\n")
    assert statuses(answer) == [400]
    assert b"x-request-id: " in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nhOST: y\r\n\r\n",
        b"GET http://x/livez HTTP/1.1\r\n\r\n",
    ],
)
def test_a_request_without_host_or_with_two_is_400_and_nothing_behind_it_is_served(server: Server, head: bytes) -> None:
    assert statuses(talk(server, head + LAST)) == [400]


def test_http_1_0_needs_no_host(server: Server) -> None:
    assert statuses(talk(server, b"GET /livez HTTP/1.0\r\n\r\n")) == [200]
