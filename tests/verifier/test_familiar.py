"""Requests that are not parsed again: which they are, and that nothing else is taken for one."""

from collections.abc import Iterable

import pytest

from gatepass.model.presented import TOKEN_LENGTH
from gatepass.model.rights import check_rights
from support.door import Inside, Transport

HEAD = b"GET /verify HTTP/1.1\r\nHost: x\r\nX-Original-URI: /a?b\r\n"
SHAPE = HEAD + b"Authorization: Bearer %b\r\nAccept: */*\r\n\r\n"


@pytest.fixture
def inside() -> Inside:
    return Inside()


@pytest.fixture
def token(inside: Inside) -> bytes:
    """A token whose request has been read once."""
    token = inside.table.add().encode()
    assert statuses(inside, [SHAPE % token] * 2) == [200, 200]
    return token


def statuses(inside: Inside, reads: Iterable[bytes], *, parses: bool = True) -> list[int]:
    connection, transport = inside.connect()
    if not parses:
        connection._feed = None  # whoever calls it fails
    for read in reads:
        connection.data_received(read)
    connection.connection_lost(None)
    return found(transport)


def found(transport: Transport) -> list[int]:
    return [int(answer[:3]) for answer in transport.written.split(b"HTTP/1.1 ")[1:]]


def test_a_request_that_differs_in_its_token_only_is_not_parsed_again(inside: Inside, token: bytes) -> None:
    other = inside.table.add().encode()
    assert statuses(inside, [SHAPE % other] * 2) == [200, 200]  # looked up once, then in memory
    assert statuses(inside, [SHAPE % token, SHAPE % other], parses=False) == [200, 200]


def test_the_token_of_a_familiar_request_is_judged_each_time(inside: Inside, token: bytes) -> None:
    other = inside.table.add().encode()
    inside.table.known.clear()
    unknown = SHAPE % (token[:-1] + (b"a" if token[-1:] != b"a" else b"b"))
    assert statuses(inside, [SHAPE % token, unknown, SHAPE % other]) == [200, 401, 401]
    inside.table.words[:] = [2, 2]  # something has changed: what is in memory does not count
    assert statuses(inside, [SHAPE % token]) == [401]


def test_an_outage_at_a_familiar_request_is_503_and_told(inside: Inside, token: bytes) -> None:
    inside.table.fails = True
    inside.table.words[:] = [2, 2]
    assert statuses(inside, [SHAPE % token]) == [503]
    assert len(inside.errors) == 1


def test_what_a_token_is_restricted_to_is_held_against_familiar_requests_too(inside: Inside, token: bytes) -> None:
    far = inside.table.add(check_rights(None, ["203.0.113.0/24"], None)).encode()
    meant = inside.table.add(check_rights(None, None, ["shop"])).encode()
    assert statuses(inside, [SHAPE % far, SHAPE % meant, SHAPE % far, SHAPE % token]) == [401, 401, 401, 200]


@pytest.mark.parametrize(
    "reads",
    [
        [b"POST /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nContent-Length: 0\r\n\r\n"],
        [b"GET /verify/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n"],
        [b"GET /verify?scope=a:b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n"],
        [b"GET /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nConnection: close\r\n\r\n"],
        [b"GET /verify HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\nAuthorization: Bearer %b\r\n\r\n"],
        [b"GET /verify HTTP/1.1\r\nHost: x\r\nauthorization: Bearer %b\r\n\r\n"],
        [SHAPE + b"G"],
        [SHAPE + b"\r\nG"],
        [SHAPE + b"GET /"],
        [SHAPE + SHAPE],
        [SHAPE[:60], SHAPE[60:]],
        [SHAPE[:-1], SHAPE[-1:]],
        [SHAPE[:-40], SHAPE[-40:] + SHAPE],
    ],
)  # fmt: skip
def test_what_was_not_one_plain_request_in_one_read_is_not_remembered(inside: Inside, reads: list[bytes]) -> None:
    text = inside.table.add().encode()
    for _ in range(2):
        statuses(inside, [read.replace(b"%b", text) for read in reads])
    assert inside.door.familiar.shapes == {}


def test_a_request_behind_the_first_letter_of_another_one_is_no_familiar_one(inside: Inside, token: bytes) -> None:
    assert statuses(inside, [SHAPE % token, b"G", SHAPE % token]) == [200, 400]
    assert statuses(inside, [SHAPE % token + b"G", SHAPE % token]) == [200, 400]


def test_a_plain_request_that_came_in_pieces_says_nothing_of_the_next_read(inside: Inside) -> None:
    text = inside.table.add().encode()
    closing = b"GET /livez HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n" % text
    for _ in range(2):
        statuses(inside, [SHAPE[:60], SHAPE[60:] % text, closing])
    assert inside.door.familiar.shapes == {}


def test_a_token_inside_another_field_is_not_taken_for_the_one_that_counts(inside: Inside, token: bytes) -> None:
    bad = token[:-1] + b"-"
    both = HEAD + b"Proxy-Authorization: Bearer %b\r\nAuthorization: Bearer %b\r\n\r\n"
    twice = HEAD + b"Authorization: Bearer %b\r\nAuthorization: Bearer %b\r\n\r\n"
    value = HEAD + b"X: Authorization: Bearer %b\r\nAuthorization: Bearer %b\r\n\r\n"
    for shape, expected in ((both, 200), (twice, 401), (value, 200)):
        assert statuses(inside, [shape % (bad, token)] * 3) == [expected] * 3
        assert statuses(inside, [shape % (token, bad)] * 3) == [401] * 3
    behind = HEAD + b"Authorization: Bearer %b\r\nProxy-Authorization: Bearer %b\r\n\r\n"
    other = inside.table.add(owner="other@example.com").encode()
    assert statuses(inside, [SHAPE % other] * 2) == [200, 200]
    connection, transport = inside.connect()
    for second in (bad, bad, other):
        connection.data_received(behind % (token, second))
    assert transport.written.count(b"x-gatepass-user: a@example.com\r\n") == 3


def test_requests_whose_tokens_stand_in_different_places_are_familiar(inside: Inside, token: bytes) -> None:
    shapes = [
        SHAPE,
        SHAPE.replace(b"/a?b", b"/a"),
        SHAPE.replace(b"x\r", b"long\r")[:-2] + b"Accept-Language: en\r\n\r\n",
    ]
    statuses(inside, [shape % token for shape in shapes])
    assert statuses(inside, [shape % token for shape in shapes * 2], parses=False) == [200] * 6


def test_of_requests_that_begin_alike_the_last_one_is_familiar(inside: Inside, token: bytes) -> None:
    other = SHAPE.replace(b"*/*", b"a/b")
    assert statuses(inside, [other % token, SHAPE % token, other % token, other % token]) == [200] * 4
    assert statuses(inside, [other % token], parses=False) == [200]


def test_bytes_that_look_alike_without_a_token_at_that_place_are_parsed(inside: Inside, token: bytes) -> None:
    line = b"Authorization: Bearer "
    before, after = (SHAPE % token).split(token)
    # The same bytes around something else as long as a token, in other places of the request.
    cut = before[: -len(line) + 4] + token + before[-len(line) + 4 :] + after
    assert statuses(inside, [cut]) == [401]
    assert statuses(inside, [before + b"\r\n" + b"y" * (TOKEN_LENGTH - 2) + after]) == [400]


def test_a_process_that_ends_says_so_in_the_next_answer_to_a_familiar_request(inside: Inside, token: bytes) -> None:
    connection, transport = inside.connect()
    connection.data_received(SHAPE % token)
    connection.make_last()
    connection.data_received(SHAPE % token)
    assert found(transport) == [200, 200]
    assert transport.written.count(b"connection: close\r\n") == 1
    assert transport.ended


def test_shapes_are_bounded_in_number_and_size(inside: Inside, token: bytes) -> None:
    for number in range(5000):
        statuses(inside, [(SHAPE % token).replace(b"/a?b", b"/%d" % number)])
    assert 0 < len(inside.door.familiar.shapes) <= 4096
    inside.door.familiar.shapes.clear()
    statuses(inside, [(SHAPE % token).replace(b"/a?b", b"/" * 2000)])
    assert inside.door.familiar.shapes == {}
