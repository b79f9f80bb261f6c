"""Changes: what verifiers must hear of, in the order in which it was committed."""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class ChangeKind(StrEnum):
    """What may have another verdict from now on."""

    TOKEN = "token"  # noqa: S105  one token
    OWNER = "owner"
    """All tokens of one user."""
    EVERYTHING = "everything"


class Change(NamedTuple):
    """One change of what is accepted. `revision` counts up by one with each, without gaps."""

    revision: int
    kind: ChangeKind
    subject_id: UUID | None = None
    """The token or the user; None for everything."""
