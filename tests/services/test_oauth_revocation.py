"""Revocation by value where it meets another deletion, or a store that fails half-way."""

import pytest

from gatepass.errors import Unavailable
from gatepass.model.verdict import Accepted
from gatepass.server.oauth.revoke import revoke
from gatepass.services.revoke_token import revoke_token
from gatepass.testing.fakes import acting
from services.conftest import World


def test_a_token_deleted_by_somebody_else_in_between_is_dead_all_the_same(world: World) -> None:
    made = world.token(world.admin)

    def judge(presented: object) -> Accepted:
        revoke_token(world.deps, acting(world.admin), made.token.id)
        return Accepted(made.token.id, world.admin.id, world.admin.email, None)

    answer = revoke(world.deps, judge, acting(world.admin), {"token": made.value.reveal()})
    assert (answer.status, answer.body) == (200, b"")
    assert [event.action for event in world.events()].count("token.deleted") == 1


@pytest.mark.parametrize("step", ["find", "revoke"])
def test_a_store_that_fails_at_any_step_is_an_outage_and_the_token_lives(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    made = world.token(world.admin)

    def failing(*_: object) -> None:
        raise Unavailable("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(world.store.tokens, step, failing)
        with pytest.raises(Unavailable):
            revoke(
                world.deps,
                lambda _: Accepted(made.token.id, world.admin.id, world.admin.email, None),
                acting(world.admin),
                {"token": made.value.reveal()},
            )
    found = revoke(
        world.deps,
        world.verifier.judge,
        acting(world.admin),
        {"token": made.value.reveal()},
    )
    assert (found.status, found.result) == (200, "accepted")
