"""What verifiers elsewhere send and get, version 1. `docs/reference/verifiers.md` is the contract."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from gatepass.errors import InvalidInput
from gatepass.model.instant import from_milliseconds, to_milliseconds
from gatepass.model.presented import PresentedToken
from gatepass.model.use import USES_KEPT, UseCount, Uses, hour_of
from gatepass.model.verdict import Accepted, Reason, Verdict
from gatepass.services.follow_changes import Progress
from gatepass.services.judge_elsewhere import Judged

MOST_TOKENS = 256
"""Looked up at once."""
_ID = re.compile(r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII)
_DIGEST = re.compile(r"\A[0-9a-f]{64}\Z", re.ASCII)

Revision = Annotated[int, Meta(ge=0, le=2**53)]


class FollowBody(Struct, forbid_unknown_fields=True):
    """A poll."""

    instance: str
    """Which process of the verifier asks."""
    after: Revision
    """All changes up to this one count there."""
    epoch: str
    wait: Annotated[float, Meta(ge=0, le=60)]
    grace: Annotated[float, Meta(ge=0, le=3600)] = 0.0


class LeaveBody(Struct, forbid_unknown_fields=True):
    """The last word of an instance, which answers nothing from memory any more."""

    instance: str


class FollowReply(Struct):
    """What changed."""

    epoch: str
    head: int
    changes: list[tuple[int, str, str | None]] | None
    """Revision, kind and subject of each; null: forget everything."""
    bound: float
    now: int
    """The server's wall clock in milliseconds since 1970."""


class TokenBody(Struct, forbid_unknown_fields=True):
    """A token that somebody presented: its id and its SHA-256, never the token."""

    id: str
    digest: str


class LookUpBody(Struct, forbid_unknown_fields=True):
    """Tokens to be judged."""

    tokens: Annotated[list[TokenBody], Meta(min_length=1, max_length=MOST_TOKENS)]


class AcceptedReply(Struct, rename="camel"):
    """A good token; it may have expired."""

    token_id: str
    owner_id: str
    owner_name: str
    expires_at: int | None
    """Milliseconds since 1970."""
    scopes: list[str] | None
    allowed_networks: list[str] | None
    audience: list[str] | None


class VerdictReply(Struct, omit_defaults=True):
    """One of both."""

    accepted: AcceptedReply | None = None
    rejected: Reason | None = None
    token: str | None = None
    """The id of a rejected token that is or was one."""


class LookUpReply(Struct):
    """Verdicts in the order of the tokens, all read at one revision."""

    epoch: str
    revision: int
    verdicts: list[VerdictReply]


class UseBody(Struct, rename="camel", forbid_unknown_fields=True):
    """How often one token met one outcome within one hour."""

    token: str
    hour: int
    """Whole hours since 1970."""
    reason: Reason | None
    """Why it was refused; null: it was accepted."""
    count: Annotated[int, Meta(ge=1, le=2**31)]
    last_used: int | None = None
    """Milliseconds since 1970 of the latest accepted request."""


class UsesBody(Struct, forbid_unknown_fields=True):
    """What was counted since the last time."""

    uses: Annotated[list[UseBody], Meta(max_length=2000)]


def uses_in(body: UsesBody, now: datetime) -> Uses:
    """Read what was counted. Nothing happened after `now`, whatever a verifier's clock says. Raises InvalidInput."""
    last_used: dict[UUID, datetime] = {}
    counts: list[UseCount] = []
    for number, each in enumerate(body.uses):
        if not _ID.match(each.token):
            raise InvalidInput(f"uses[{number}].token", "must be a token id, as a dashed lower-case UUID")
        token_id, latest = UUID(each.token), hour_of(now)
        hour = min(max(each.hour, latest - USES_KEPT // timedelta(hours=1)), latest)
        counts.append(UseCount(token_id, hour, each.reason, each.count))
        if each.last_used is not None:
            last_used[token_id] = from_milliseconds(min(max(each.last_used, 0), to_milliseconds(now)))
    return Uses(last_used, counts)


def progress_of(progress: Progress, bound: float, now: datetime) -> FollowReply:
    """Write what changed."""
    told = None
    if progress.changes is not None:
        told = [
            (each.revision, each.kind.value, str(each.subject_id) if each.subject_id else None)
            for each in progress.changes
        ]
    return FollowReply(progress.epoch, progress.head, told, bound, to_milliseconds(now))


def presented_in(body: LookUpBody) -> Sequence[PresentedToken]:
    """Read the tokens. Raises InvalidInput."""
    found = []
    for number, each in enumerate(body.tokens):
        if not _ID.match(each.id):
            raise InvalidInput(f"tokens[{number}].id", "must be a token id, as a dashed lower-case UUID")
        if not _DIGEST.match(each.digest):
            raise InvalidInput(f"tokens[{number}].digest", "must be a SHA-256 in 64 lower-case hexadecimal digits")
        found.append(PresentedToken(UUID(each.id), bytes.fromhex(each.digest)))
    return found


def judged(found: Judged) -> LookUpReply:
    """Write verdicts."""
    return LookUpReply(found.epoch, found.revision, [_verdict(each) for each in found.verdicts])


def _verdict(verdict: Verdict) -> VerdictReply:
    if not isinstance(verdict, Accepted):
        return VerdictReply(rejected=verdict.reason, token=str(verdict.token_id) if verdict.token_id else None)
    expires_at = verdict.expires_at
    return VerdictReply(
        accepted=AcceptedReply(
            token_id=str(verdict.token_id),
            owner_id=str(verdict.owner_id),
            owner_name=verdict.owner_name,
            expires_at=None if expires_at is None else to_milliseconds(expires_at),
            **verdict.rights.lists(),
        )
    )
