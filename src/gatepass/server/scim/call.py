"""A request of a directory that is known, and what is answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from gatepass.interfaces import ConfiguredProvider
from gatepass.model.actor import Actor
from gatepass.server.context import Context
from gatepass.services.deps import Deps


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was read."""

    context: Context
    actor: Actor
    configured: ConfiguredProvider
    """Whose directory asks."""
    path: Mapping[str, str]
    query: Mapping[str, str]
    is_told: Callable[[str], bool]
    """Which attributes of a person the answer has."""
    body: Mapping[str, Any]
    """Empty for methods without one."""

    @property
    def deps(self) -> Deps:
        """The installation."""
        return self.context.deps


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body to be written as JSON unless it is None, extra headers."""

    body: Any = None
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Answer]
