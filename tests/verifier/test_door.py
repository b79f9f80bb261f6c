"""What the listener answers, without a network: restrictions, time, outages, addresses, introspection, ends."""

from datetime import timedelta

import pytest

from gatepass.errors import TooManyRequests, Unavailable
from gatepass.model.rights import check_rights
from gatepass.model.verdict import Reason
from gatepass.verifier.limits import CONNECTIONS
from support.door import START, Inside
from support.hostile import CASES, Case
from support.listener import statuses

RIGHTS = {
    "full": (None, None, None),
    "scoped": (["orders:read", "mail:*"], None, None),
    "none": ([], None, None),
    "near": (None, ["192.0.2.0/24"], None),
    "far": (None, ["203.0.113.0/24"], None),
    "meant": (None, None, ["shop"]),
}
FORWARDED = "X-Forwarded-For: 203.0.113.9\r\n"


@pytest.fixture
def inside() -> Inside:
    return Inside()


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("full", "/verify", 200), ("full", "/verify?scope=any:thing", 200), ("full", "/verify?audience=any", 200),
        ("full", "/verify?scope=BAD", 403), ("full", "/verify/a/b", 200), ("full", "http://x/verify", 200),
        ("scoped", "/verify", 200), ("scoped", "/verify?scope=orders:read", 200), ("scoped", "/verify?scope=orders:write", 403),
        ("scoped", "/verify?scope=orders:read+mail:send", 200), ("scoped", "/verify?scope=mail:a&scope=x:y", 403),
        ("none", "/verify", 200), ("none", "/verify/?scope=orders:read", 403), ("near", "/verify", 200), ("far", "/verify", 401),
        ("meant", "/verify", 401), ("meant", "/verify?audience=shop", 200), ("meant", "/verify?audience=other", 401),
        ("meant", "/verify/?audience=shop", 401), ("meant", "/verify?audience=shop&audience=shop", 403),
    ],
)  # fmt: skip
def test_what_a_token_is_restricted_to_is_held_against_each_request(
    inside: Inside, name: str, target: str, expected: int
) -> None:
    token = inside.table.add(check_rights(*RIGHTS[name]))
    for _ in range(3):  # looked up, then remembered
        assert inside.status(target, bearer=token) == expected
    assert inside.errors == []


def test_a_missing_scope_is_named_and_the_scopes_of_a_token_are_told(inside: Inside) -> None:
    token = inside.table.add(check_rights(*RIGHTS["scoped"]))
    answer = inside.ask("/verify?scope=orders:write", bearer=token)
    assert b'www-authenticate: Bearer realm="gatepass", error="insufficient_scope", scope="orders:write"\r\n' in answer
    assert b"x-gatepass-scopes: orders:read mail:*\r\n" in inside.ask(bearer=token)


@pytest.mark.parametrize(
    ("proxies", "peer", "extra", "near", "far"),
    [
        ((), ("192.0.2.1", 1), FORWARDED, 200, 401),
        (("192.0.2.1",), ("192.0.2.1", 1), FORWARDED, 401, 200),
        (("192.0.2.1",), ("192.0.2.1", 1), FORWARDED + "X-Forwarded-For: 192.0.2.7\r\n", 200, 401),
        (("192.0.2.1",), ("192.0.2.1", 1), "", 401, 401),
        (("192.0.2.0/24",), ("192.0.2.1", 1), "X-Forwarded-For: 203.0.113.9, 192.0.2.8\r\n", 401, 200),
        (("192.0.2.1",), ("192.0.2.1", 1), "X-Forwarded-For: nonsense\r\n", 401, 401),
        ((), "", FORWARDED, 401, 401),
        (("unix",), "", FORWARDED, 401, 200),
        ((), ("::ffff:192.0.2.1", 1), "", 200, 401),
    ],
)
def test_only_a_trusted_proxy_says_where_a_request_comes_from(
    proxies: tuple[str, ...], peer: object, extra: str, near: int, far: int
) -> None:
    inside = Inside(proxies=proxies)
    for name, expected in (("near", near), ("far", far)):
        token = inside.table.add(check_rights(*RIGHTS[name]))
        assert [inside.status(bearer=token, extra=extra, peer=peer) for _ in range(2)] == [expected] * 2


def test_a_token_ends_at_the_very_instant(inside: Inside) -> None:
    token = inside.table.add(expires_at=START + timedelta(seconds=5))
    assert inside.status(bearer=token) == 200
    inside.now += 4.999
    assert inside.status(bearer=token) == 200
    inside.now += 0.001
    assert inside.status(bearer=token) == 401


def test_an_outage_is_503_also_for_a_token_that_was_good_before(inside: Inside) -> None:
    token, other = inside.table.add(), inside.table.add()
    assert inside.status(bearer=token) == 200
    inside.table.fails = True
    assert inside.status(bearer=token) == 200  # nothing has changed, and that is known
    assert inside.status(bearer=other) == 503
    inside.table.words[0] += 1  # a change is under way
    answer = inside.ask(bearer=token)
    assert statuses(answer) == [503]
    assert b"retry-after: 1\r\n" in answer
    assert [str(error) for error in inside.errors] == ["the table is away"] * 2


def test_changes_that_cannot_be_read_are_503_and_the_connection_stays(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = inside.table.add()
    assert inside.status(bearer=token) == 200

    def fail(_: int) -> None:
        raise Unavailable("the feed is away")

    monkeypatch.setattr(inside.table, "changes_after", fail)
    inside.table.words[:] = [2, 2]
    connection, transport = inside.connect()
    for _ in range(2):
        connection.data_received(f"GET /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    assert statuses(transport.written) == [503, 503]
    assert transport.written.count(b"retry-after: 1\r\n") == 2
    assert not transport.closed


def test_an_error_that_nobody_expected_is_503(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside.table, "peek", lambda _: 1 / 0)
    assert inside.status(bearer=inside.table.add()) == 503
    assert inside.status("/readyz") == 503
    assert inside.status("/livez") == 200


@pytest.mark.parametrize("case", [case for case in CASES if not case.slow], ids=lambda case: case.name)
def test_the_hostile_corpus_is_answered_the_same_without_a_network(inside: Inside, case: Case) -> None:
    connection, transport = inside.connect()
    for part in case.sent(inside.table.add()):
        if not transport.closed:
            connection.data_received(part)
    assert statuses(transport.written) == list(case.expected)


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 10])
def test_a_header_block_is_measured_from_its_beginning_wherever_the_one_before_it_was_cut(
    inside: Inside, cut: int
) -> None:
    first = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    for size, expected in ((16_300, [200, 200]), (16_400, [200, 431])):
        second = b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"v" * (size - 37) + b"\r\n\r\n"
        assert len(second) == size
        connection, transport = inside.connect()
        for part in (first[:-cut], first[-cut:] + second[:9000], second[9000:]):
            connection.data_received(part)
        assert statuses(transport.written) == expected


def test_verdicts_are_counted_by_result(inside: Inside) -> None:
    token = inside.table.add(check_rights(*RIGHTS["none"]))
    full = inside.table.add()
    for _ in range(3):
        inside.ask(bearer=full)
    inside.ask(bearer=token)
    inside.ask("/verify?scope=a:b", bearer=token)
    inside.ask(bearer="nonsense")
    inside.ask()
    assert inside.door.refused == {"scope": 1, "malformed": 1}
    with inside.uses.taken(inside.now, everything=True) as uses:
        assert sorted((each.reason or "", each.count) for each in uses.counts) == [("", 1), ("", 3), (Reason.SCOPE, 1)]


def test_an_owner_of_any_name_makes_one_header_line(inside: Inside) -> None:
    token = inside.table.add(owner="a\r\nx-gatepass-user: b ä%@example.com")
    answer = inside.ask(bearer=token)
    assert answer.count(b"\r\nx-gatepass-user: ") == 1
    assert b"x-gatepass-user: a%0D%0Ax-gatepass-user: b %C3%A4%25@example.com\r\n" in answer
    assert inside.ask(bearer=token).partition(b"x-request-id")[0] == answer.partition(b"x-request-id")[0]


def test_introspection_gets_the_body_and_the_headers_it_needs() -> None:
    seen = []

    def introspect(headers: object, body: bytes) -> tuple[int, dict[str, str], bytes]:
        seen.append((headers, body))
        if body == b"busy":
            raise TooManyRequests("too many", retry_after=7)
        return 200, {"content-type": "application/json"}, b'{"active":false}'

    inside = Inside(introspect=introspect)
    connection, transport = inside.connect()
    head = b"POST /oauth2/introspect HTTP/1.1\r\nHost: x\r\nAuthorization: Basic abc\r\nContent-Type: t/x\r\n"
    for part in (
        head,
        b"Content-Length: 9\r\n\r\ntoken",
        b"=abc",
        head + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n",
    ):
        connection.data_received(part)
    assert statuses(transport.written) == [200, 503]
    assert b"content-type: application/json\r\n" in transport.written
    assert (
        b"content-length: 16\r\ncache-control: no-store\r\ncontent-type: application/json\r\nx-request-id: "
        in transport.written
    )
    assert b'\r\n\r\n{"active":false}HTTP/1.1 503' in transport.written
    assert b"retry-after: 7\r\n" in transport.written
    headers = {"authorization": ["Basic abc"], "content-type": ["t/x"]}
    assert seen == [(headers, b"token=abc"), (headers, b"busy")]
    assert inside.status("/oauth2/introspect") == 405
    assert Inside().status("/oauth2/introspect") == 404


def test_what_one_read_brings_is_answered_with_one_write(inside: Inside) -> None:
    token = inside.table.add()
    connection, transport = inside.connect()
    connection.data_received(f"GET /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode() * 50)
    assert statuses(transport.written) == [200] * 50
    assert transport.writes == 1


def test_a_peer_that_takes_no_answers_is_read_no_further_and_given_up(inside: Inside) -> None:
    connection, transport = inside.connect()
    request = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    connection.data_received(request)
    connection.pause_writing()
    assert transport.paused
    connection.data_received(request * 3)  # on its way already
    assert transport.writes == 1
    connection.resume_writing()
    assert (statuses(transport.written), transport.paused) == ([200] * 4, False)
    connection.pause_writing()
    inside.door.tick += 11
    connection.check_time()
    assert transport.closed


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (b"", 5),
        (b"GET /v", 5),
        (b"GET /verify HTTP/1.1\r\n", 5),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 30),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n\r\n\r\n", 30),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /", 5),
        (b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", 10),
        (b"nonsense\r\n\r\n", 2),
    ],
)
def test_each_wait_has_its_time(inside: Inside, sent: bytes, seconds: int) -> None:
    connection, transport = inside.connect()
    if sent:
        connection.data_received(sent)
    inside.door.tick += seconds
    connection.check_time()
    assert not transport.closed
    inside.door.tick += 1
    connection.check_time()
    assert transport.closed


def test_at_the_end_idle_connections_are_closed_and_others_with_their_answer(inside: Inside) -> None:
    idle, late, begun, fresh = (inside.connect() for _ in range(4))
    for connection, _ in (idle, late):
        connection.data_received(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    begun[0].data_received(b"GET /livez HTTP/1.1\r\nHo")
    for connection, _ in (idle, late, begun, fresh):
        connection.make_last()
    late[0].data_received(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")  # it was on its way
    for connection, _ in (idle, late, begun, fresh):
        connection.close_if_idle()
    assert (idle[1].closed, late[1].ended, begun[1].closed, fresh[1].closed) == (True, True, False, False)
    begun[0].data_received(b"st: x\r\n\r\n")
    fresh[0].data_received(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    for _, transport in (late, begun, fresh):
        assert set(statuses(transport.written)) == {200}
        assert transport.written.count(b"connection: close\r\n") == 1
        assert transport.ended


def test_one_connection_too_many_gets_one_answer_and_twice_as_many_none(inside: Inside) -> None:
    token = inside.table.add()
    held = [inside.connect() for _ in range(CONNECTIONS)]
    assert inside.status(bearer=token) == 503
    held += [inside.connect() for _ in range(CONNECTIONS)]
    _, transport = inside.connect()
    assert transport.closed
    for connection, _ in held:
        connection.connection_lost(None)
    assert inside.status(bearer=token) == 200
