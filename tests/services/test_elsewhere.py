"""What verifiers elsewhere are told, and for how long leases may last that somebody else gave."""

from datetime import timedelta

import pytest

from gatepass.errors import NotAuthenticated
from gatepass.model.actor import CONSOLE, Actor, Credential
from gatepass.model.change import ChangeKind
from gatepass.model.presented import PresentedToken, parse_token
from gatepass.model.verdict import Accepted, Reason, Rejected
from gatepass.services.add_verifier import add_verifier
from gatepass.services.follow_changes import follow_changes
from gatepass.services.judge_elsewhere import judge_elsewhere
from gatepass.services.longest_lease import longest_lease
from gatepass.services.remove_verifier import remove_verifier
from gatepass.services.revoke_token import revoke_token
from gatepass.testing.fakes import acting
from services.conftest import World


@pytest.fixture
def actor(world: World) -> Actor:
    added = add_verifier(world.deps, CONSOLE, "edge")
    return Actor(Credential.VERIFIER, credential_id=added.verifier.id)


def presented(world: World) -> PresentedToken:
    found = parse_token(world.token(world.admin).value.reveal())
    assert found is not None
    return found


def test_verdicts_are_those_of_one_revision(world: World, actor: Actor) -> None:
    world.change(**{"apiAccessTokens.enabled": True})
    kept, deleted = presented(world), presented(world)
    revoke_token(world.deps, acting(world.admin), deleted.id)
    found = judge_elsewhere(world.deps, actor, [kept, deleted])
    progress = follow_changes(world.deps, actor, 0, epoch=found.epoch)
    assert [type(found.verdicts[0]), found.verdicts[1]] == [Accepted, Rejected(Reason.DELETED, deleted.id)]
    assert (found.epoch, found.revision) == (progress.epoch, progress.head)
    assert progress.changes is not None
    assert (progress.changes[-1].kind, progress.changes[-1].subject_id) == (ChangeKind.TOKEN, deleted.id)


def test_whoever_is_far_behind_is_told_to_forget_everything(
    world: World, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatepass.services.follow_changes.MOST_TOLD", 3)
    epoch, head, _ = follow_changes(world.deps, actor, 0, epoch="")
    for days in range(1, 5):
        world.change(**{"tokens.retentionDays": days})
    assert len(follow_changes(world.deps, actor, head + 1, epoch=epoch).changes or ()) == 3
    assert follow_changes(world.deps, actor, head, epoch=epoch).changes is None


def test_a_removed_verifier_is_told_nothing(world: World, actor: Actor) -> None:
    remove_verifier(world.deps, CONSOLE, "edge")
    with pytest.raises(NotAuthenticated):
        follow_changes(world.deps, actor, 0, epoch="")
    with pytest.raises(NotAuthenticated):
        judge_elsewhere(world.deps, actor, [])


def test_a_lease_lasts_for_bound_and_grace(world: World) -> None:
    assert longest_lease(world.deps) == 5
    world.change(**{"verifiers.boundSeconds": 7, "verifiers.graceSeconds": 30})
    assert longest_lease(world.deps) == 37


def test_leases_by_a_bound_that_was_lowered_last_as_long_as_they_were_given(world: World) -> None:
    world.change(**{"verifiers.boundSeconds": 60})
    world.clock.advance(timedelta(seconds=100))
    world.change(**{"verifiers.boundSeconds": 1})
    assert longest_lease(world.deps) == 60
    world.clock.advance(timedelta(seconds=10))
    world.change(**{"verifiers.boundSeconds": 2})
    assert longest_lease(world.deps) == 50
    world.clock.advance(timedelta(seconds=49))
    assert longest_lease(world.deps) == 2
