"""Reading what a server replies to its verifiers. Whatever is not as it should be raises Unavailable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any
from uuid import UUID

from gatepass.errors import Unavailable
from gatepass.interfaces.verification import Followed
from gatepass.model.change import Change, ChangeKind
from gatepass.model.instant import from_milliseconds
from gatepass.model.presented import PresentedToken
from gatepass.model.rights import FULL_ACCESS, Rights
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict

_LONGEST_BOUND = 60 + 3600


def read_followed(reply: Any) -> Followed:
    """Read what changed."""
    with _as_ours():
        changes = None
        if reply["changes"] is not None:
            changes = [
                Change(int(revision), _kind(kind), None if subject is None else UUID(subject))
                for revision, kind, subject in reply["changes"]
            ]
        bound = float(reply["bound"])
        if not 0 < bound <= _LONGEST_BOUND:
            raise ValueError(bound)
        return Followed(str(reply["epoch"]), int(reply["head"]), changes, bound, int(reply["now"]) / 1000)


def read_verdicts(reply: Any, presented: Sequence[PresentedToken]) -> tuple[Sequence[Verdict], str, int]:
    """Read verdicts about `presented`, in that order; return them with epoch and revision."""
    with _as_ours():
        verdicts = [_verdict(told, each) for told, each in zip(reply["verdicts"], presented, strict=True)]
        return verdicts, str(reply["epoch"]), int(reply["revision"])


@contextmanager
def _as_ours() -> Iterator[None]:
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise Unavailable("the server does not answer as Gatepass does") from None


def _kind(text: str) -> ChangeKind:
    """Read a kind of change. One that only a newer server knows may concern everything."""
    return ChangeKind(text) if text in set(ChangeKind) else ChangeKind.EVERYTHING


def _verdict(told: Mapping[str, Any], presented: PresentedToken) -> Verdict:
    accepted = told.get("accepted")
    if accepted is None:
        reason, token_id = told["rejected"], presented.id if told.get("token") else None
        if not isinstance(reason, str):
            raise TypeError
        # A reason that only a newer server knows refuses all the same.
        return Rejected(Reason(reason) if reason in set(Reason) else Reason.UNKNOWN, token_id)
    # SECURITY: never the verdict about another token.
    if UUID(accepted["tokenId"]) != presented.id:
        raise ValueError
    ends = accepted["expiresAt"]
    return Accepted(
        presented.id,
        UUID(accepted["ownerId"]),
        str(accepted["ownerName"]),
        None if ends is None else from_milliseconds(int(ends)),
        _rights(accepted["scopes"], accepted["allowedNetworks"], accepted["audience"]),
    )


def _rights(scopes: Sequence[str] | None, networks: Sequence[str] | None, audience: Sequence[str] | None) -> Rights:
    if scopes is None and networks is None and audience is None:
        return FULL_ACCESS  # the very object: whoever judges requests looks no further
    return Rights(
        None if scopes is None else tuple(map(str, scopes)),
        None if networks is None else tuple(map(ip_network, networks)),
        None if audience is None else tuple(map(str, audience)),
    )
