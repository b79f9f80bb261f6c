"""Time in the hand of a test, and a source of changes and verdicts in its hand too."""

from collections.abc import Sequence
from uuid import UUID

from gatepass.errors import Unavailable
from gatepass.interfaces import Fetched, Followed
from gatepass.model.change import Change, ChangeKind
from gatepass.model.presented import PresentedToken, parse_token
from gatepass.model.rights import FULL_ACCESS
from gatepass.model.secret import generate_id, generate_secret
from gatepass.model.token import TokenKind, write_token
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict
from gatepass.verifier.follower import Follower
from gatepass.verifier.lease import Lease, LeaseClock
from gatepass.verifier.verifier import Verifier
from support.door import OWNER, START

BOUND = 10.0


class Hands:
    """Both clocks of a machine, moved by hand."""

    def __init__(self) -> None:
        self.boot, self.wall = 1_000.0, START.timestamp()

    def pass_by(self, seconds: float) -> None:
        self.boot += seconds
        self.wall += seconds

    def clock(self) -> LeaseClock:
        return LeaseClock(lambda: self.boot, lambda: self.wall)


class Origin:
    """Tokens and their changes, as a server has them; nothing is sent, whoever follows asks here."""

    def __init__(self) -> None:
        self.epoch = "one"
        self.verdicts: dict[UUID, Verdict] = {}
        self.changes: list[Change] = []
        self.forgotten = 0
        self.is_away = False
        self.bound = BOUND

    @property
    def head(self) -> int:
        return len(self.changes)

    def create(self) -> tuple[str, UUID]:
        number = generate_id(START)
        self.verdicts[number] = Accepted(number, OWNER, "a@example.com", None, FULL_ACCESS)
        return write_token(TokenKind.PERSONAL, number, generate_secret()).reveal(), number

    def delete(self, token_id: UUID) -> int:
        self.verdicts[token_id] = Rejected(Reason.DELETED, token_id)
        return self.change(ChangeKind.TOKEN, token_id)

    def change(self, kind: ChangeKind = ChangeKind.EVERYTHING, subject: UUID | None = None) -> int:
        self.changes.append(Change(self.head + 1, kind, subject))
        return self.head

    def follow(self, after: int, epoch: str) -> Followed:
        self.require_there()
        known = epoch == self.epoch and self.forgotten <= after <= self.head
        return Followed(self.epoch, self.head, self.changes[after:] if known else None, self.bound)

    def read(self, presented: PresentedToken) -> tuple[Verdict, str, int]:
        self.require_there()
        return self.verdicts.get(presented.id, Rejected(Reason.UNKNOWN)), self.epoch, self.head

    def require_there(self) -> None:
        if self.is_away:
            raise Unavailable("the origin is away")


class Elsewhere:
    """A verifier whose changes and verdicts come from an origin, poll by poll as a test likes."""

    def __init__(self, origin: Origin, hands: Hands) -> None:
        self.origin, self.hands = origin, hands
        self.lease = Lease(hands.clock())
        self.follower = Follower(self.lease)
        self.verifier = Verifier(self, self.follower, now=lambda: hands.wall)
        self.looks = 0
        self.before_reply = lambda: None

    def poll(self) -> None:
        question = self.follower.question()
        self.follower.take(question, self.origin.follow(question.after, question.epoch))

    def peek(self, _: PresentedToken) -> None:
        return None

    def fetch(self, presented: Sequence[PresentedToken]) -> Fetched:
        self.looks += len(presented)
        life = self.follower.life
        [(verdict, epoch, revision)] = [self.origin.read(each) for each in presented]
        happens, self.before_reply = self.before_reply, lambda: None
        happens()
        return Fetched([verdict], self.follower.number_of(epoch, revision, life=life))

    def says(self, token: str) -> Reason | None:
        """Return why a token is refused, None if it is accepted."""
        found = self.verifier.verify(token)
        return found.reason if isinstance(found, Rejected) else None

    def remembers(self, token: str) -> bool:
        before = self.looks
        self.says(token)
        return self.looks == before


def presented(token: str) -> PresentedToken:
    found = parse_token(token)
    assert found is not None
    return found
