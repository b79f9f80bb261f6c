"""Changes: what verifiers must hear of, in the order in which it was committed."""

from __future__ import annotations

from enum import StrEnum

from gatepass.model.value import Value

TYPE_CHECKING = False  # for type checkers; see model/value.py for why nothing is imported to say so
if TYPE_CHECKING:
    from uuid import UUID


class ChangeKind(StrEnum):
    """What may have another verdict from now on."""

    TOKEN = "token"  # noqa: S105  one token
    OWNER = "owner"
    """All tokens of one user."""
    VERIFIER = "verifier"
    """A registered verifier: whether it may ask."""
    EVERYTHING = "everything"


class Change(Value):
    """One change of what is accepted."""

    __slots__ = ("kind", "revision", "subject_id")

    def __init__(self, revision: int, kind: ChangeKind, subject_id: UUID | None = None) -> None:
        """Say that it is number `revision`, without gaps, about a token, user, verifier or everything (None)."""
        self.revision = revision
        self.kind = kind
        self.subject_id = subject_id
