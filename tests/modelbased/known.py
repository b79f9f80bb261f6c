"""What the model knows: people, tokens and sessions, as plain values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gatepass.model.rights import FULL_ACCESS, Rights
from gatepass.services.sign_in import StartedSession
from gatepass.testing.fakes import PASSWORD

FULL, JOBS, RUN, NONE = FULL_ACCESS, Rights(scopes=("jobs:*",)), Rights(scopes=("jobs:run",)), Rights(scopes=())
WITHIN = {FULL: {FULL, JOBS, RUN, NONE}, JOBS: {JOBS, RUN, NONE}, RUN: {RUN, NONE}, NONE: {NONE}}
"""What each of a few rights can be narrowed to. Asking for nothing in particular gives all of them."""


@dataclass
class Person:
    """What the model knows of somebody."""

    id: UUID
    email: str
    password: str = PASSWORD
    is_admin: bool = False
    is_disabled: bool = False
    is_deleted: bool = False

    @property
    def is_live(self) -> bool:
        return not self.is_disabled and not self.is_deleted


@dataclass
class Known:
    """What the model knows of a token."""

    id: UUID
    value: str
    owner: Person
    expires_at: datetime | None
    is_deleted: bool = False
    key: str | None = None
    rights: Rights = FULL_ACCESS


@dataclass
class SignedIn:
    """What the model knows of a session."""

    started: StartedSession
    owner: Person
    at: datetime
    seen_at: datetime
    is_over: bool = False

    def is_signed_in(self, now: datetime) -> bool:
        idle = now - self.seen_at >= timedelta(minutes=30)
        return not self.is_over and not idle and now - self.at < timedelta(hours=12) and self.owner.is_live
