"""A verifier on another host than its server: a source over HTTP, a follower with its thread, and a lease."""

from __future__ import annotations

from contextlib import suppress

from gatepass.errors import BadConfiguration, GatepassError, NotAuthenticated, Unavailable
from gatepass.model.instant import to_milliseconds
from gatepass.model.use import UseCount, Uses
from gatepass.verifier.follower import Follower, Following
from gatepass.verifier.lease import Lease
from gatepass.verifier.opened import OpenVerifier
from gatepass.verifier.remote import RemoteSource, Upstream
from gatepass.verifier.use_sender import UseSender

_FIRST_SECONDS = 2.0
"""How long a server may take to say where it stands before the verifier begins without."""
_MOST_USES = 300
"""Told at once, so that a request stays below 64 KiB."""


class RemoteUses(UseSender):
    """Tells the server what was used."""

    def __init__(self, source: RemoteSource) -> None:
        """Begin with nothing to tell."""
        super().__init__()
        self._source = source

    def _check(self) -> None:
        """Take it as it comes: telling is the check."""

    def _write(self, uses: Uses) -> None:
        last = dict(uses.last_used)
        for at in range(0, len(uses.counts), _MOST_USES):
            part = uses.counts[at : at + _MOST_USES]
            told = [_told(each) for each in part]
            for use, each in zip(part, told, strict=True):
                if use.reason is None and (used_at := last.pop(use.token_id, None)):
                    each["lastUsed"] = to_milliseconds(used_at)
            self._source.send("uses", {"uses": told})


def _told(use: UseCount) -> dict[str, object]:
    reason = use.reason.value if use.reason else None
    return {"token": str(use.token_id), "hour": use.hour, "reason": reason, "count": use.count}


class RemoteVerifier(OpenVerifier):
    """Judges tokens by what a server far away says, from memory as long as its lease lasts."""

    def __init__(self, upstream: Upstream, *, grace: float = 0) -> None:
        """Follow `upstream`. Raises BadConfiguration if it does not accept the credential."""
        self.lease = Lease()
        follower = Follower(self.lease)
        self._remote = RemoteSource(upstream, follower, grace=grace)
        self._following = Following(follower, self._remote)
        self._following.wait_for_first(_FIRST_SECONDS)
        if isinstance(self._following.trouble, NotAuthenticated):
            self._following.close()
            raise BadConfiguration("credential", f"is not accepted by {upstream.url}")
        super().__init__(self._remote, follower, RemoteUses(self._remote))

    def check_ready(self) -> None:
        """Raise Unavailable unless the server was heard of lately."""
        if not self.lease.is_fresh:
            raise Unavailable(f"no lease: {self._following.trouble or 'the server was not heard of yet'}")

    def close(self) -> None:
        """Stop following; tell the last uses. What cannot be told any more is lost."""
        self._following.close()  # with it the lease
        self._remote.leave()
        with suppress(GatepassError):
            super().close()
        self._remote.close()
