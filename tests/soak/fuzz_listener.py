"""A mutation fuzzer on the listener's parser path: `python fuzz_listener.py SECONDS [SEED]`, with src and tests on PYTHONPATH.

Each round takes requests that are good or hostile, mutates them, splits them at random and feeds them to the protocol in
this process. Whatever is sent, nothing may be raised, nobody may be let in without a good token, and however the bytes are
split the answers are the same: so they are the same too whether a request was parsed or known from one before it.
"""

import random
import re
import sys
import time
from dataclasses import dataclass

from gatepass.verifier.limits import HEADER_BYTES
from support.door import Inside
from support.hostile import CASES, GOOD, TOKEN

ANSWER = re.compile(
    rb"HTTP/1\.1 (\d{3}) [A-Za-z -]+\r\n(?:content-length: 0\r\n(?:[a-z-]+: ?[ -~]*\r\n)*x-request-id: [A-Za-z0-9._-]{1,64}\r\n)?\r\n"
)
PIECES = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b":", b"\x00", b"\xff", b"0\r\n\r\n", b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b"Host: x\r\n",
    b"Expect: 100-continue\r\n", b"Authorization: Bearer ", b"HTTP/1.0", b"HTTP/2.0", b"CONNECT ", b"POST ", b"?scope=a:b",
    b"X-Request-Id: a\r\n", b"X: " + b"v" * 9000 + b"\r\n", b"A:b\r\n" * 60, b"ffffffff\r\n", b"1\r\nx\r\n", GOOD,
)  # fmt: skip
MOST_BYTES = 400_000
REFUSALS = {b"400", b"413", b"414", b"431"}


def short(*found: object) -> str:
    """Describe what was found in some lines."""
    return "\n".join(text if len(text) < 3000 else f"{text[:1500]} … {text[-1500:]}" for text in map(repr, found))


@dataclass
class Outcome:
    """What one stream of bytes led to."""

    answers: list[bytes]
    ended: bool


class Fuzzer:
    """Rounds from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.inside = Inside()
        self.token = self.inside.table.add()
        self.corpus = [b"".join(case.parts) for case in CASES if case.parts]
        self.corpus = [each for each in self.corpus if len(each) < MOST_BYTES]
        self.corpus += [GOOD] * len(self.corpus)
        self.rounds = 0

    def round(self) -> None:
        """Run one; raise AssertionError if something is not as it must be."""
        with_token = self.random.random() < 0.5
        parts = [self.mutated(self.random.choice(self.corpus)) for _ in range(self.random.randint(1, 3))]
        parts = [
            part.replace(TOKEN, self.token.encode() if with_token else self.token[:-1].encode() + b"-")
            for part in parts
        ]
        sent = b"".join(parts)
        apart = self.outcome(parts)
        whole = self.outcome([sent])
        split = self.outcome(self.split(sent))
        for outcome in (apart, whole, split):
            found = [answer[9:12] for answer in outcome.answers]
            assert with_token or self.token.encode() in sent or not self.let_in(outcome), short(sent, outcome)
            assert outcome.ended or not REFUSALS & set(found), short(sent, outcome)
            assert not REFUSALS & set(found[:-1]), short(sent, outcome)
        same = self.comparable(apart) == self.comparable(whole) == self.comparable(split)
        assert same or self.is_at_the_limit(sent), short(parts, apart, whole, split)
        assert self.inside.errors == [], self.inside.errors
        self.rounds += 1

    def let_in(self, outcome: Outcome) -> bool:
        return any(b"\r\nx-gatepass-user-id: " in answer for answer in outcome.answers)

    @staticmethod
    def is_at_the_limit(sent: bytes) -> bool:
        """Tell whether a header block has about its greatest size.

        A method that comes alone is not counted; behind a body it may be up to twice as much.
        """
        most = 2 * HEADER_BYTES if re.search(rb"Content-Length|chunked", sent, re.IGNORECASE) else HEADER_BYTES + 16
        return any(HEADER_BYTES - 16 <= len(head) + 4 <= most for head in sent.split(b"\r\n\r\n"))

    @staticmethod
    def comparable(outcome: Outcome) -> list[bytes]:
        """Return the answers without what differs: ids, and which of two faults of a request was found first."""
        kept = [re.sub(rb"x-request-id: (?:[0-9a-f]{12}-[0-9]+)\r\n", b"", answer) for answer in outcome.answers]
        return [b"refused" if answer[9:12] in REFUSALS else answer for answer in kept]

    def outcome(self, parts: list[bytes]) -> Outcome:
        connection, transport = self.inside.connect()
        for part in parts:
            if transport.closed:
                break
            if self.random.random() < 0.02:
                connection.pause_writing()
                connection.data_received(part)
                connection.resume_writing()
            else:
                connection.data_received(part)
        connection.connection_lost(None)
        assert len(self.inside.door.connections) == 0
        return Outcome(answers_in(transport.written), transport.closed or transport.ended)

    def mutated(self, text: bytes) -> bytes:
        data = bytearray(text)
        for _ in range(self.random.choice((0, 1, 1, 2, 3, 8))):
            at = self.random.randrange(len(data) + 1)
            match self.random.randrange(5):
                case 0:
                    data[at : at + 1] = bytes([self.random.randrange(256)])
                case 1:
                    data[at:at] = self.random.choice(PIECES)
                case 2:
                    del data[at : at + self.random.choice((1, 1, 2, 10, 100))]
                case 3:
                    data[at:at] = data[at : at + self.random.choice((1, 10, 100))]
                case _:
                    data[at : at + 1] = bytes(data[at : at + 1]).swapcase()
        return bytes(data)

    def split(self, text: bytes) -> list[bytes]:
        step = self.random.choice((1, 2, 16, 500, 5000)) if len(text) < 20_000 else 5000
        parts = []
        while text:
            size = self.random.randint(1, step)
            parts.append(text[:size])
            text = text[size:]
        return parts


def answers_in(written: bytes) -> list[bytes]:
    """Return the answers, each whole; raise AssertionError if there is anything else."""
    found, at = [], 0
    while at < len(written):
        answer = ANSWER.match(written, at)
        assert answer, written[at : at + 500]
        found.append(answer[0])
        at = answer.end()
    return found


def fuzz(seconds: float, seed: int) -> int:
    """Run rounds for that long; return how many there were."""
    fuzzer = Fuzzer(seed)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        fuzzer.round()
    return fuzzer.rounds


if __name__ == "__main__":
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    print(f"seed {chosen}", flush=True)
    print(f"{fuzz(float(sys.argv[1]), chosen)} rounds, nothing found")
