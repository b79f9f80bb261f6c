"""Where a look-up takes its time, nothing else waits for it, and answers keep the order of their requests."""

import asyncio
import random
import re
import threading
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import pytest

from gatepass.errors import Unavailable
from gatepass.model.presented import PresentedToken
from gatepass.model.verdict import Reason, Rejected
from gatepass.verifier.listener import look_ups
from gatepass.verifier.listener.look_ups import Found, LookUps
from support.door import Inside, Transport
from support.leases import presented
from support.listener import statuses
from support.oauth import UNKNOWN

LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


def verify(token: str, extra: str = "", query: str = "", method: str = "GET") -> bytes:
    return f"{method} /verify{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{extra}\r\n".encode()


@pytest.fixture
def inside() -> Inside:
    return Inside(slow=True)


def test_an_answer_that_comes_later_comes_whole(inside: Inside) -> None:
    token = inside.table.add()
    connection, transport = inside.connect()
    connection.data_received(verify(token, extra="x-request-id: mine\r\n"))
    assert (transport.written, transport.paused) == (b"", True)
    inside.ask_later()
    assert transport.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert transport.written.endswith(b"x-request-id: mine\r\n\r\n")
    assert not transport.paused
    connection.data_received(verify(token))
    assert statuses(transport.written) == [200, 200]
    assert not inside.later


def test_pipelined_answers_keep_their_order_whichever_is_known_first(inside: Inside) -> None:
    good, warm = inside.table.add(), inside.table.add()
    connection, transport = inside.connect()
    connection.data_received(verify(warm))
    inside.ask_later()
    connection.data_received(verify(UNKNOWN) + verify(warm) + verify(good) + LIVE + verify(UNKNOWN))
    assert statuses(transport.written) == [200]
    inside.ask_later()
    assert statuses(transport.written) == [200, 401, 200, 200, 200, 401]


def test_what_is_sent_while_an_answer_is_awaited_is_answered_behind_it(inside: Inside) -> None:
    token = inside.table.add()
    connection, transport = inside.connect()
    connection.data_received(verify(token) + LIVE[:10])
    connection.data_received(LIVE[10:] + verify(UNKNOWN))  # a transport may still bring this
    assert transport.written == b""
    inside.ask_later()
    inside.ask_later()
    assert statuses(transport.written) == [200, 200, 401]


def test_a_bad_request_behind_one_that_waits_ends_the_connection_behind_its_answer(inside: Inside) -> None:
    token = inside.table.add()
    connection, transport = inside.connect()
    connection.data_received(verify(token) + b"GARBAGE\r\n\r\n")
    assert (transport.written, transport.ended) == (b"", False)
    inside.ask_later()
    assert statuses(transport.written) == [200, 400]
    assert transport.ended


def test_the_last_request_of_a_connection_may_wait_too(inside: Inside) -> None:
    token = inside.table.add()
    connection, transport = inside.connect()
    connection.data_received(verify(token, extra="Connection: close\r\n"))
    inside.ask_later()
    assert statuses(transport.written) == [200]
    assert b"connection: close" in transport.written
    assert transport.ended


def test_nobody_gets_a_tunnel_by_a_token_that_has_to_be_looked_up(inside: Inside) -> None:
    connection, transport = inside.connect()
    connection.data_received(verify(inside.table.add(), method="CONNECT"))
    inside.ask_later()
    assert statuses(transport.written) == [400]


def test_a_connection_that_is_gone_gets_no_answer(inside: Inside) -> None:
    connection, transport = inside.connect()
    connection.data_received(verify(inside.table.add()))
    connection.connection_lost(None)
    inside.ask_later()
    assert transport.written == b""


def test_scopes_are_demanded_of_what_was_looked_up(inside: Inside) -> None:
    connection, transport = inside.connect()
    connection.data_received(verify(inside.table.add(), query="?scope=nonsense"))
    inside.ask_later()
    assert statuses(transport.written) == [403]


def test_a_source_that_is_away_is_an_outage(inside: Inside) -> None:
    token = inside.table.add()
    connection, transport = inside.connect()
    inside.table.fails = True
    connection.data_received(verify(token))
    inside.ask_later()
    assert statuses(transport.written) == [503]
    assert [type(error) for error in inside.errors] == [Unavailable]


def test_a_process_that_ends_answers_what_waits_and_closes(inside: Inside) -> None:
    token = inside.table.add()
    connection, transport = inside.connect()
    connection.data_received(verify(token))
    connection.make_last()
    connection.close_if_idle()
    assert not transport.closed
    inside.ask_later()
    assert statuses(transport.written) == [200]
    assert transport.closed


def test_a_connection_that_waits_too_long_is_ended(inside: Inside) -> None:
    connection, transport = inside.connect()
    connection.data_received(verify(inside.table.add()))
    inside.door.tick += 60
    connection.check_time()
    assert transport.closed


def test_a_peer_that_takes_no_answers_is_not_read_from_after_the_look_up(inside: Inside) -> None:
    token = inside.table.add()
    connection, transport = inside.connect()

    def full(data: bytes) -> None:
        Transport.write(transport, data)
        connection.pause_writing()

    transport.write = full
    connection._write = full
    connection.data_received(verify(token))
    inside.ask_later()
    assert transport.paused
    connection.data_received(LIVE)
    assert statuses(transport.written) == [200]
    connection.resume_writing()
    assert statuses(transport.written) == [200, 200]


class Source:
    """Looks up in threads, when it is let."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.go = threading.Event()

    def fetch(self, presented: Sequence[PresentedToken]) -> Sequence[Rejected]:
        self.go.wait(10)
        self.batches.append(len(presented))
        return [Rejected(Reason.DELETED, each.id) for each in presented]


def test_what_is_asked_meanwhile_is_looked_up_together_and_once() -> None:
    async def main() -> None:
        source, told, asked = Source(), [], 0
        beside = LookUps(source.fetch)
        done = asyncio.Event()

        def tell(token_id: UUID, found: Found) -> None:
            told.append((token_id, found))
            if len(told) == asked:
                done.set()

        tokens = [presented(Inside().table.add()) for _ in range(50)]
        for each in tokens * 3:
            asked += 1
            beside.ask(each, partial(tell, each.id))
        source.go.set()
        await done.wait()
        assert len(told) == 150
        assert all(found == Rejected(Reason.DELETED, token_id) for token_id, found in told)
        assert sum(source.batches) < 60
        assert max(source.batches) > 40

    asyncio.run(main())


def test_too_many_that_wait_are_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(look_ups, "MOST_WAITING", 2)
        source, told = Source(), []
        asked = LookUps(source.fetch)
        for _ in range(8):
            asked.ask(presented(Inside().table.add()), told.append)
        await asyncio.sleep(0)
        assert [type(found) for found in told] == [Unavailable] * 2
        source.go.set()

    asyncio.run(main())


@pytest.mark.parametrize("seed", range(200))
def test_however_requests_are_cut_and_look_ups_end_the_answers_are_those_of_a_door_that_does_not_wait(
    seed: int,
) -> None:
    chance = random.Random(seed)
    quick, slow = Inside(), Inside(slow=True)
    tokens = [quick.table.add() for _ in range(4)]
    slow.table.known = quick.table.known
    kinds = [
        lambda: verify(chance.choice([*tokens, UNKNOWN])),
        lambda: verify(chance.choice(tokens), query="?scope=orders:read"),
        lambda: verify("nonsense"),
        lambda: LIVE,
        lambda: b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        lambda: verify(chance.choice(tokens), extra="Connection: close\r\n") if chance.random() < 0.2 else LIVE,
        lambda: b"BAD\r\n\r\n" if chance.random() < 0.1 else LIVE,
        lambda: verify(tokens[0], extra="Connection: Upgrade\r\nUpgrade: h2c\r\n"),
    ]
    stream = b"".join(chance.choice(kinds)() for _ in range(chance.randrange(1, 15)))
    written = []
    for inside in (quick, slow):
        connection, transport = inside.connect()
        rest = stream
        while rest:
            at = chance.randrange(1, 400)
            piece, rest = rest[:at], rest[at:]
            connection.data_received(piece)
            while inside.later and chance.random() < 0.5:
                presented, done = inside.later.pop(chance.randrange(len(inside.later)))
                done(inside.look_up(presented))
        while inside.later:
            inside.ask_later()
        written.append(re.sub(rb"x-request-id: \S+", b"", transport.written))
    assert written[0] == written[1]
