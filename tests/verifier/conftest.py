"""An installation in memory, and a verifier over it that tells how often it had to look; one elsewhere, poll by poll."""

from collections.abc import Sequence

import pytest

from gatepass.connect import StoreSource
from gatepass.interfaces import Fetched, VerdictSource
from gatepass.model.presented import PresentedToken
from gatepass.model.verdict import Verdict
from gatepass.verifier.verifier import Verifier
from services.conftest import World, world
from support.leases import Elsewhere, Hands, Origin

__all__ = ["Counting", "world"]


class Counting:
    """A source that counts the look-ups, and can be told to do something in the middle of the next one."""

    def __init__(self, source: VerdictSource) -> None:
        self._source = source
        self.looks = 0
        self.before_return = lambda: None
        self.blocks = False

    def peek(self, presented: PresentedToken) -> Verdict | None:
        if self.blocks:
            return None
        self.looks += 1
        found = self._source.peek(presented)
        self.before_return()
        return found

    def fetch(self, presented: Sequence[PresentedToken]) -> Fetched:
        self.looks += len(presented)
        return self._source.fetch(presented)


@pytest.fixture
def source(world: World) -> Counting:
    return Counting(StoreSource(world.store, world.keyring))


@pytest.fixture
def verifier(world: World, source: Counting) -> Verifier:
    world.change(**{"apiAccessTokens.enabled": True})
    return Verifier(source, world.store, most=100, now=lambda: world.clock.now().timestamp())


@pytest.fixture
def origin() -> Origin:
    return Origin()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def elsewhere(origin: Origin, hands: Hands) -> Elsewhere:
    return Elsewhere(origin, hands)
