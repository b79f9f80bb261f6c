"""Uses of tokens: written, shown to whom they concern, pruned."""

from datetime import timedelta

import pytest

from gatepass.errors import NotFound
from gatepass.model.use import DayCount, UseCount, Uses, day_of, hour_of
from gatepass.model.verdict import Reason
from gatepass.services.list_token_uses import list_token_uses
from gatepass.services.prune_uses import prune_uses
from gatepass.services.record_token_use import record_token_use
from gatepass.testing.fakes import START, acting
from services.conftest import World


def use(world: World, token, *, count: int = 1, reason: Reason | None = None) -> None:
    now = world.clock.now()
    counted = [UseCount(token.id, hour_of(now), reason, count)]
    record_token_use(world.deps.store, Uses({} if reason else {token.id: now}, counted))


def test_the_owner_and_administrators_see_the_uses_of_the_last_days(world: World) -> None:
    world.allow_everybody()
    token = world.token(world.maria, lifetime_seconds=-1).token
    use(world, token)
    world.clock.advance(days=29)
    use(world, token, count=4)
    use(world, token, count=2, reason=Reason.NETWORK)
    today = day_of(START) + 29
    for actor in (world.maria, world.admin):
        assert set(list_token_uses(world.deps, acting(actor), [token], days=29)) == {
            DayCount(token.id, today, None, 4),
            DayCount(token.id, today, Reason.NETWORK, 2),
        }
        assert len(list_token_uses(world.deps, acting(actor), [token], days=30)) == 3


def test_nobody_sees_the_uses_of_somebody_elses_tokens(world: World) -> None:
    world.allow_everybody()
    tokens = [world.token(user).token for user in (world.bob, world.maria)]
    with pytest.raises(NotFound):
        list_token_uses(world.deps, acting(world.bob), tokens, days=30)


def test_counts_are_kept_for_31_days(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepass.services.prune_uses._BATCH", 3)
    token = world.token(world.admin, lifetime_seconds=-1).token
    for _ in range(7):
        use(world, token)
        world.clock.advance(hours=1)
    world.clock.advance(days=31, hours=-7)
    assert prune_uses(world.deps) == 0
    world.clock.advance(hours=5)
    assert prune_uses(world.deps) == 5
    assert world.store.tokens.find(token.id).last_used_at == START + timedelta(hours=6)


def test_a_use_changes_no_right_and_makes_no_event(world: World) -> None:
    token = world.token(world.admin).token
    before = len(world.events())
    use(world, token)
    assert len(world.events()) == before
