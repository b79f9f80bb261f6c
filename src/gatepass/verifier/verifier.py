"""The verifier: judges presented tokens, from memory where that is certain, else from its source."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from hashlib import sha256

from gatepass.errors import NotAllowed, NotAuthenticated
from gatepass.model.network import parse_address
from gatepass.model.presented import TOKEN_LENGTH, PresentedToken, parse_token
from gatepass.model.rights import FULL_ACCESS
from gatepass.model.scope import check_scopes
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict
from gatepass.verifier.cache import Cache, Entry
from gatepass.verifier.requirements import NOTHING, Requirements, find_refusal

TYPE_CHECKING = False  # as in model/change.py
if TYPE_CHECKING:  # their package brings everything that is stored, which a service that verifies never needs
    from gatepass.interfaces.verification import ChangeFeed, VerdictSource
    from gatepass.verifier.uses import UseCounter

_MALFORMED = Rejected(Reason.MALFORMED)


def _not_counted(_: object, now: float) -> None:
    """Stand in for the counter where there is none."""


class Verifier:
    """Judges tokens for one process. Safe in any thread; one cache for all of them."""

    def __init__(
        self,
        source: VerdictSource,
        feed: ChangeFeed,
        *,
        most: int = 100_000,
        uses: UseCounter | None = None,
        now: Callable[[], float] = time.time,  # noqa: TID251  the clock, where none is injected
    ) -> None:
        """Begin with nothing in memory. `most` tokens are remembered; `now` tells seconds since 1970.

        `uses` hears of each verdict of `verify`, `verify_async` and `require`.
        """
        self._source = source
        self._cache = Cache(feed, most=most)
        self._words = self._cache.words
        # What a lease tells in one call; a store on this host has two plain words.
        self._holds: Callable[[int, float], bool] | None = getattr(feed.words, "holds", None)
        self._now = now
        self._uses = uses
        self._accepted = uses.accepted if uses else _not_counted
        self._hit = uses.hit if uses else _not_counted

    def verify(self, token: str, requirements: Requirements | None = NOTHING) -> Verdict:
        """Judge the text that a client sent as its token, for this request at this moment.

        `requirements` are None where a request demands something that cannot be read: nothing meets it.
        Text that is not in canonical form never reaches the source. Raises Unavailable if the source
        is out of reach: an outage is not a verdict. May block where the source does.
        """
        now = self._now()
        if requirements is NOTHING:
            try:
                accepted = self.accept(token.encode(), now)
            except UnicodeEncodeError:  # half a surrogate pair
                return _MALFORMED
            if accepted is not None:
                return accepted
        return self._counted(self.check(self.look_up(token), requirements))

    def accept(self, token: bytes, now: float) -> Entry | None:
        """Return, and count, a token that needs no second look; None for every other one, which is judged as usual.

        SECURITY: in memory, still true there, restricted in nothing, and not at its end. What nearly every request
        comes to, so it is all here. `now` is the wall clock's.
        """
        entry = self._cache.young.get(sha256(token).digest()) if len(token) == TOKEN_LENGTH else None
        if entry is None or entry.rights is not FULL_ACCESS or entry.ends <= now:
            return None
        words, holds, hit = self._words, self._holds, self._hit
        if entry.revision == words[0] == words[1] if holds is None else holds(entry.revision, now):
            hit(entry, now)
            return entry
        return None

    async def verify_async(self, token: str, requirements: Requirements | None = NOTHING) -> Verdict:
        """Judge as `verify` does, without ever blocking the event loop."""
        found: Verdict | None = self.recall(token.encode(errors="replace"))
        if found is None:
            presented = parse_token(token)
            if presented is None:
                return _MALFORMED
            found = self._peek(presented)
            if found is None:
                import asyncio  # noqa: PLC0415  whoever gets here has it already; others need not wait for it

                [found] = await asyncio.to_thread(self.fetch, [presented])
        return self._counted(self.check(found, requirements))

    def require(
        self, token: str, *, scope: str | Sequence[str] = (), audience: str | None = None, client: str | None = None
    ) -> Accepted:
        """Return who the bearer acts for, or raise.

        `scope` is one or several that must be covered; `audience` the name of the service asking;
        `client` the address the request comes from. Raises NotAuthenticated (401), NotAllowed (403: a
        good token without the scopes), Unavailable (503), and InvalidInput for what is no scope.
        """
        scopes = check_scopes((scope,) if isinstance(scope, str) else scope, field="scope")
        verdict = self.verify(token, Requirements(scopes, audience, parse_address(client)))
        if isinstance(verdict, Accepted):
            return verdict
        if verdict.reason is Reason.SCOPE:
            raise NotAllowed(f"the token does not have the scope {' '.join(scopes)!r}")
        raise NotAuthenticated

    def look_up(self, token: str) -> Entry | Rejected:
        """Return what is known of a token, from memory or else from the source.

        It knows nothing of the time or the request: give it to `check`.
        """
        try:
            found = self.recall(token.encode())
        except UnicodeEncodeError:
            return _MALFORMED
        if found is None:
            presented = parse_token(token)
            return self._fill(presented) if presented else _MALFORMED
        return found

    def recall(self, token: bytes) -> Entry | Rejected | None:
        """Return what is in memory of a token, given as its bytes, and still holds; None if there is nothing.

        An entry may have expired and knows nothing of the request: give it to `check`.
        """
        return self._cache.find(sha256(token).digest(), self._now()) if len(token) == TOKEN_LENGTH else _MALFORMED

    def judge(self, presented: PresentedToken) -> Verdict:
        """Judge a token of which only id and digest are known, at this moment but for no particular request."""
        found = self._cache.find(presented.digest, self._now())
        # SECURITY: the two come from outside, so they need not belong together. Only an acceptance shows that
        # they do, now or before; else a refusal must not be remembered for the token whose digest it is.
        if isinstance(found, Entry) and found.number == presented.id.int:
            return self._unless_expired(found)
        stamp = self._cache.stamp()
        verdict = self._source.peek(presented)
        if verdict is None:
            [verdict], stamp = self._source.fetch([presented])
        if isinstance(verdict, Accepted) or self._cache.has_accepted(presented.digest, presented.id.int):
            verdict = self._cache.put(presented.digest, verdict, stamp=stamp, now=self._now())
        return self._unless_expired(verdict)

    def check(self, found: Verdict, requirements: Requirements | None) -> Verdict:
        """Hold what is known of a token against the time and the request."""
        found = self._unless_expired(found)
        if isinstance(found, Rejected):
            return found
        refusal = find_refusal(found, requirements)
        return found if refusal is None else Rejected(refusal, found.token_id)

    def _counted(self, verdict: Verdict) -> Verdict:
        if isinstance(verdict, Accepted):
            self._accepted(verdict.number, self._now())
        elif self._uses and verdict.token_id:
            self._uses.refused(verdict.token_id.int, verdict.reason, self._now())
        return verdict

    def _unless_expired(self, verdict: Verdict) -> Verdict:
        if isinstance(verdict, Accepted) and verdict.ends <= self._now():
            return Rejected(Reason.EXPIRED, verdict.token_id)
        return verdict

    def fetch(self, presented: Sequence[PresentedToken]) -> Sequence[Entry | Rejected]:
        """Ask the source for many tokens at once, and remember its answers. May block, raises Unavailable."""
        verdicts, stamp = self._source.fetch(presented)
        now = self._now()
        return [
            self._cache.put(each.digest, verdict, stamp=stamp, now=now)
            for each, verdict in zip(presented, verdicts, strict=True)
        ]

    def _fill(self, presented: PresentedToken) -> Entry | Rejected:
        """Ask the source, as it can."""
        found = self._peek(presented)
        return self.fetch([presented])[0] if found is None else found

    def _peek(self, presented: PresentedToken) -> Entry | Rejected | None:
        """Ask a source that answers at once; None if this one does not."""
        stamp = self._cache.stamp()
        verdict = self._source.peek(presented)
        if verdict is None:
            return None
        return self._cache.put(presented.digest, verdict, stamp=stamp, now=self._now())
