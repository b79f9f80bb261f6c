"""The listener's protocol and door in this process: a transport that keeps what is written, tokens from a table."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

from gatepass.errors import Unavailable
from gatepass.interfaces import Fetched, VerdictSource
from gatepass.model.change import Change
from gatepass.model.presented import PresentedToken, parse_token
from gatepass.model.rights import FULL_ACCESS, Rights
from gatepass.model.secret import generate_id, generate_secret
from gatepass.model.token import TokenKind, write_token
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict
from gatepass.verifier.listener.door import Introspect, VerifyDoor
from gatepass.verifier.listener.look_ups import Done, Found
from gatepass.verifier.listener.protocol import Connection
from gatepass.verifier.proxies import TrustedProxies
from gatepass.verifier.uses import UseCounter
from gatepass.verifier.verifier import Verifier

START = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = UUID("01900000-0000-7000-8000-000000000001")


class Table(VerdictSource):
    """Verdicts by digest, and a feed on which nothing ever changes."""

    def __init__(self) -> None:
        self.known: dict[bytes, Accepted] = {}
        self.words: list[int] = [1, 1]
        self.fails = False

    def add(
        self, rights: Rights = FULL_ACCESS, *, expires_at: datetime | None = None, owner: str = "a@example.com"
    ) -> str:
        """Return a new good token."""
        number = generate_id(START)
        text = write_token(TokenKind.PERSONAL, number, generate_secret()).reveal()
        presented = parse_token(text)
        self.known[presented.digest] = Accepted(number, OWNER, owner, expires_at, rights)
        return text

    def peek(self, presented: PresentedToken) -> Verdict:
        if self.fails:
            raise Unavailable("the table is away")
        return self.known.get(presented.digest) or Rejected(Reason.UNKNOWN)

    def fetch(self, presented: Sequence[PresentedToken]) -> Fetched:
        return Fetched([self.peek(each) for each in presented], self.words[0])

    def changes_after(self, _: int) -> Sequence[Change] | None:
        return None


class Transport:
    """Keeps what is written, and what else is done with it."""

    def __init__(self, peer: tuple[str, int] | str = ("192.0.2.1", 1)) -> None:
        self.written = b""
        self.writes = 0
        self.closed = self.ended = self.paused = False
        self._peer = peer

    def get_extra_info(self, _: str) -> object:
        return self._peer

    def write(self, data: bytes) -> None:
        if self.closed or self.ended:
            raise RuntimeError("written after the end")
        self.written += data
        self.writes += 1

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Inside:
    """A door over a table, and connections to it."""

    def __init__(
        self, *, proxies: Sequence[str] = (), introspect: Introspect | None = None, slow: bool = False
    ) -> None:
        self.table = Table()
        self.now = START.timestamp()
        self.uses = UseCounter()
        self.later: list[tuple[PresentedToken, Done]] = []
        """What is being looked up, with `slow`."""
        self.errors: list[Exception] = []
        self.verifier = verifier = Verifier(self.table, self.table, uses=self.uses, now=lambda: self.now)
        self.door = VerifyDoor(
            verifier,
            check_ready=lambda: self.table.peek(parse_token(self.table.add())),
            uses=self.uses,
            proxies=TrustedProxies(proxies),
            introspect=introspect,
            look_ups=SimpleNamespace(ask=self.ask_source) if slow else None,
            report=self.errors.append,
            now=lambda: self.now,
        )

    def ask_source(self, presented: PresentedToken, done: Done) -> None:
        self.later.append((presented, done))

    def ask_later(self) -> None:
        """Answer what is being looked up, the last one first."""
        while self.later:
            presented, done = self.later.pop()
            done(self.look_up(presented))

    def look_up(self, presented: PresentedToken) -> Found:
        try:
            return self.verifier.fetch([presented])[0]
        except Unavailable as error:
            return error

    def connect(self, peer: tuple[str, int] | str = ("192.0.2.1", 1)) -> tuple[Connection, Transport]:
        connection, transport = Connection(self.door), Transport(peer)
        connection.connection_made(transport)
        return connection, transport

    def ask(
        self,
        path: str = "/verify",
        *,
        bearer: str = "",
        extra: str = "",
        peer: tuple[str, int] | str = ("192.0.2.1", 1),
    ) -> bytes:
        """Return the answer to one request on a connection of its own."""
        connection, transport = self.connect(peer)
        sent = f"Authorization: Bearer {bearer}\r\n" if bearer else ""
        connection.data_received(f"GET {path} HTTP/1.1\r\nHost: x\r\n{sent}{extra}\r\n".encode())
        connection.connection_lost(None)
        return transport.written

    def status(self, path: str = "/verify", **how: object) -> int:
        return int(self.ask(path, **how)[9:12])
