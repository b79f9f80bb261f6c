"""The verifier: judges presented tokens, from memory where that is certain, else from its source."""

import time
from collections.abc import Callable, Sequence
from hashlib import sha256

from gatepass.errors import NotAllowed, NotAuthenticated
from gatepass.interfaces.verification import ChangeFeed, VerdictSource
from gatepass.model.network import parse_address
from gatepass.model.rights import FULL_ACCESS
from gatepass.model.token import TOKEN_LENGTH, PresentedToken, parse_token
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict
from gatepass.verifier.cache import Cache, Entry
from gatepass.verifier.requirements import NOTHING, Requirements, find_refusal

_MALFORMED = Rejected(Reason.MALFORMED)


class Verifier:
    """Judges tokens for one process. Safe in any thread; one cache for all of them."""

    def __init__(
        self,
        source: VerdictSource,
        feed: ChangeFeed,
        *,
        most: int = 100_000,
        now: Callable[[], float] = time.time,  # noqa: TID251  the clock, where none is injected
    ) -> None:
        """Begin with nothing in memory. `most` tokens are remembered; `now` tells seconds since 1970."""
        self._source = source
        self._cache = Cache(feed, most=most)
        self._words = self._cache.words
        self._now = now

    def verify(self, token: str, requirements: Requirements | None = NOTHING) -> Verdict:
        """Judge the text that a client sent as its token, for this request at this moment.

        `requirements` are None where a request demands something that cannot be read: nothing meets it.
        Text that is not in canonical form never reaches the source. Raises Unavailable if the source
        is out of reach: an outage is not a verdict. May block where the source does.
        """
        found = self.recall(token)
        if found is None:
            found = self._look_up(token)
        return self.check(found, requirements)

    async def verify_async(self, token: str, requirements: Requirements | None = NOTHING) -> Verdict:
        """Judge as `verify` does, without ever blocking the event loop."""
        found = self.recall(token)
        if found is None and (presented := parse_token(token)):
            stamp = self._cache.stamp()
            verdict = self._source.peek(presented)
            if verdict is None:
                import asyncio  # noqa: PLC0415  whoever gets here has it already; others need not wait for it

                verdict = (await asyncio.to_thread(self._source.fetch, [presented]))[0]
            found = self._cache.put(presented.digest, verdict, stamp=stamp, now=self._now())
        return self.check(found or _MALFORMED, requirements)

    def require(
        self, token: str, *, scope: str | Sequence[str] = (), audience: str | None = None, client: str | None = None
    ) -> Accepted:
        """Return who the bearer acts for, or raise.

        `scope` is one or several that must be covered; `audience` the name of the service asking;
        `client` the address the request comes from. Raises NotAuthenticated (401), NotAllowed (403: a
        good token without the scopes) or Unavailable (503).
        """
        scopes = (scope,) if isinstance(scope, str) else tuple(scope)
        verdict = self.verify(token, Requirements(scopes, audience, parse_address(client)))
        if isinstance(verdict, Accepted):
            return verdict
        if verdict.reason is Reason.SCOPE:
            raise NotAllowed(f"the token does not have the scope {' '.join(scopes)!r}")
        raise NotAuthenticated

    def recall(self, token: str) -> Entry | Rejected | None:
        """Return what is in memory of a token and still holds, None if there is nothing. Never blocks for long.

        An entry may have expired and knows nothing of the request: give it to `check`.
        """
        if len(token) != TOKEN_LENGTH or not token.isascii():
            return _MALFORMED
        digest = sha256(token.encode()).digest()
        entry = self._cache.young.get(digest)
        words = self._words
        if entry is not None and entry.revision == words[0] == words[1]:
            return entry
        return self._cache.find(digest, self._now())

    def look_up_digest(self, presented: PresentedToken) -> Entry | Rejected:
        """Judge a token of which only id and digest are known, as registered verifiers send it; see `check`."""
        return self._cache.find(presented.digest, self._now()) or self._fill(presented)

    def check(self, found: Entry | Rejected, requirements: Requirements | None) -> Verdict:
        """Hold what is known of a token against the time and the request."""
        if isinstance(found, Rejected):
            return found
        if found.ends <= self._now():
            return Rejected(Reason.EXPIRED, found.token_id)
        if requirements is NOTHING and found.rights is FULL_ACCESS:
            return found
        refusal = find_refusal(found, requirements)
        return found if refusal is None else Rejected(refusal, found.token_id)

    def _look_up(self, token: str) -> Entry | Rejected:
        presented = parse_token(token)
        return self._fill(presented) if presented else _MALFORMED

    def _fill(self, presented: PresentedToken) -> Entry | Rejected:
        """Ask the source; remember the answer if nothing changed meanwhile."""
        stamp = self._cache.stamp()
        verdict = self._source.peek(presented)
        if verdict is None:
            verdict = self._source.fetch([presented])[0]
        return self._cache.put(presented.digest, verdict, stamp=stamp, now=self._now())
