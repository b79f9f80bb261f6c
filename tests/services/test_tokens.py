"""Tokens: made, listed, looked at, verified, deleted, pruned. Rules R1-R12 of the contract."""

from datetime import timedelta
from uuid import UUID

import pytest

from gatepass.errors import Conflict, Disabled, Gone, InvalidInput, NotAllowed, NotAuthenticated, NotFound, Unavailable
from gatepass.interfaces import Page
from gatepass.model.actor import CONSOLE
from gatepass.model.secret import generate_id
from gatepass.model.token import TokenStatus
from gatepass.model.use import Uses
from gatepass.model.verdict import Accepted, Reason, Rejected
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.count_peppers import PepperUse, count_peppers
from gatepass.services.create_token import create_token
from gatepass.services.delete_user import delete_user
from gatepass.services.get_token import get_token
from gatepass.services.list_tokens import list_tokens
from gatepass.services.may_generate import may_generate
from gatepass.services.prune_tokens import prune_tokens
from gatepass.services.record_token_use import record_token_use
from gatepass.services.retry import Retry
from gatepass.services.revoke_token import revoke_token
from gatepass.services.rotate_pepper import rotate_pepper
from gatepass.testing.fakes import START, acting, add_person
from services.conftest import World

RETRY = Retry("key-1", b'{"lifetimeSeconds":3600}')
ALL = Page(limit=1000)


def verdict(world: World, value: str) -> Reason | UUID:
    """Return the owner of an accepted token, or the reason of a refusal."""
    found = world.verifier.verify(value)
    return found.owner_id if isinstance(found, Accepted) else found.reason


def test_a_token_belongs_to_its_creator_and_is_accepted_as_them(world: World) -> None:
    made = world.token(world.admin, description="mine")
    assert made.token.owner_id == world.admin.id
    found = world.verifier.verify(made.value.reveal())
    assert found == Accepted(made.token.id, world.admin.id, "admin@example.com", made.token.expires_at)


def test_a_token_expires_to_the_millisecond(world: World) -> None:
    made = world.token(world.admin, lifetime_seconds=10)
    assert made.token.expires_at == START + timedelta(seconds=10)
    world.clock.advance(milliseconds=9_999)
    assert verdict(world, made.value.reveal()) == world.admin.id
    world.clock.advance(milliseconds=1)
    assert verdict(world, made.value.reveal()) is Reason.EXPIRED


def test_minus_one_never_expires(world: World) -> None:
    made = world.token(world.admin, lifetime_seconds=-1)
    world.clock.advance(days=36_500)
    assert made.token.expires_at is None
    assert verdict(world, made.value.reveal()) == world.admin.id


def test_what_is_kept_does_not_hold_the_value(world: World) -> None:
    made = world.token(world.admin)
    value = made.value.reveal()
    with world.store.read() as tx:
        kept = repr(tx.tokens.find(made.token.id))
    assert value[28:60] not in kept
    assert value not in kept


def test_a_token_made_with_a_token_keeps_its_lineage_and_may_outlive_it(world: World) -> None:
    parent = world.token_actor(world.admin)
    child = create_token(world.deps, parent, lifetime_seconds=7200)
    assert child.token.parent_id == parent.credential_id
    revoke_token(world.deps, acting(world.admin), parent.credential_id)
    assert verdict(world, child.value.reveal()) == world.admin.id


@pytest.mark.parametrize("seconds", [0, -2, 3_153_600_001])
def test_a_bad_lifetime_makes_no_token(world: World, seconds: int) -> None:
    before = len(world.events())
    with pytest.raises(InvalidInput, match="lifetimeSeconds"):
        world.token(world.admin, lifetime_seconds=seconds)
    assert len(world.events()) == before


def test_ordinary_people_may_generate_only_if_that_is_allowed(world: World) -> None:
    with pytest.raises(NotAllowed, match="only administrators"):
        world.token(world.maria)
    world.allow_everybody()
    made = world.token(world.maria)
    world.change(**{"apiAccessTokens.usersMayGenerate": False})
    assert verdict(world, made.value.reveal()) == world.maria.id


def test_a_maximum_binds_administrators_too_and_leaves_existing_tokens(world: World) -> None:
    long = world.token(world.admin, lifetime_seconds=-1)
    world.change(**{"apiAccessTokens.maximumLifetimeDays": 1})
    for seconds in (-1, 86_401):
        with pytest.raises(InvalidInput, match="lifetimeSeconds"):
            world.token(world.admin, lifetime_seconds=seconds)
    assert world.token(world.admin, lifetime_seconds=86_400)
    assert verdict(world, long.value.reveal()) == world.admin.id


def test_a_chain_of_renewals_never_exceeds_the_maximum(world: World) -> None:
    world.change(**{"apiAccessTokens.maximumLifetimeDays": 1})
    actor = acting(world.admin)
    for _ in range(5):
        with pytest.raises(InvalidInput):
            create_token(world.deps, actor, lifetime_seconds=86_401)
        actor = world.token_actor(world.admin)


def test_switched_off_nothing_is_made_listed_or_accepted_and_on_again_all_is_back(world: World) -> None:
    made = world.token(world.admin)
    world.change(**{"apiAccessTokens.enabled": False})
    for refused in (
        lambda: world.token(world.admin),
        lambda: list_tokens(world.deps, acting(world.admin), owner_id=world.admin.id, page=ALL),
        lambda: get_token(world.deps, acting(world.admin), made.token.id),
        lambda: revoke_token(world.deps, acting(world.admin), made.token.id),
        lambda: may_generate(world.deps, acting(world.admin)),
    ):
        with pytest.raises(Disabled):
            refused()
    assert verdict(world, made.value.reveal()) is Reason.FEATURE_OFF
    world.change(**{"apiAccessTokens.enabled": True})
    assert verdict(world, made.value.reveal()) == world.admin.id


def test_a_disabled_owners_tokens_are_refused_until_enabled(world: World) -> None:
    world.allow_everybody()
    made = world.token(world.maria)
    world.disable(world.maria)
    assert verdict(world, made.value.reveal()) is Reason.OWNER_DISABLED
    change_user(world.deps, acting(world.admin), world.maria.id, UserChanges(is_disabled=False))
    assert verdict(world, made.value.reveal()) == world.maria.id


def test_a_deleted_owners_tokens_are_dead_for_good_also_under_the_same_name(world: World) -> None:
    world.allow_everybody()
    made = world.token(world.maria)
    delete_user(world.deps, acting(world.admin), world.maria.id)
    assert verdict(world, made.value.reveal()) is Reason.OWNER_DELETED
    again = add_person(world.deps, "maria@example.com")
    assert verdict(world, made.value.reveal()) is Reason.OWNER_DELETED
    assert list_tokens(world.deps, acting(again), owner_id=again.id, page=ALL) == []


def test_another_secret_under_a_known_id_is_unknown(world: World) -> None:
    from gatepass.model.secret import generate_secret
    from gatepass.model.token import TokenKind, write_token

    made = world.token(world.admin)
    forged = write_token(TokenKind.PERSONAL, made.token.id, generate_secret()).reveal()
    assert world.verifier.verify(forged) == Rejected(Reason.UNKNOWN)
    assert world.verifier.verify("nonsense") == Rejected(Reason.MALFORMED)
    strange = write_token(TokenKind.PERSONAL, generate_id(START), generate_secret()).reveal()
    assert world.verifier.verify(strange) == Rejected(Reason.UNKNOWN)


def test_the_other_kind_of_the_same_token_is_unknown(world: World) -> None:
    from gatepass.model.secret import Secret
    from gatepass.model.token import TokenKind, write_token

    made = world.token(world.admin)
    other = write_token(TokenKind.SERVICE, made.token.id, Secret(made.value.reveal()[28:60])).reveal()
    assert world.verifier.verify(other) == Rejected(Reason.UNKNOWN)


def test_a_deleted_token_is_refused_and_deleted_once(world: World) -> None:
    made = world.token(world.admin)
    revoke_token(world.deps, acting(world.admin), made.token.id)
    assert verdict(world, made.value.reveal()) is Reason.DELETED
    with pytest.raises(Gone):
        revoke_token(world.deps, acting(world.admin), made.token.id)
    with pytest.raises(Gone):
        get_token(world.deps, acting(world.admin), made.token.id)


def test_a_token_deletes_itself_and_then_nothing_more(world: World) -> None:
    actor = world.token_actor(world.admin)
    revoke_token(world.deps, actor, actor.credential_id)
    with pytest.raises(NotAuthenticated):
        revoke_token(world.deps, actor, actor.credential_id)


def test_somebody_elses_token_is_not_found_deleted_or_not(world: World) -> None:
    made = world.token(world.admin)
    for _ in range(2):
        with pytest.raises(NotFound) as caught:
            revoke_token(world.deps, acting(world.maria), made.token.id)
        assert not isinstance(caught.value, Gone)
        with pytest.raises(NotFound) as caught:
            get_token(world.deps, acting(world.maria), made.token.id)
        assert not isinstance(caught.value, Gone)
        if world.store.tokens.find(made.token.id).revoked_at is None:
            revoke_token(world.deps, acting(world.admin), made.token.id)


def test_an_administrator_deletes_but_does_not_get_somebody_elses_token(world: World) -> None:
    world.allow_everybody()
    made = world.token(world.maria)
    with pytest.raises(NotFound):
        get_token(world.deps, acting(world.admin), made.token.id)
    revoke_token(world.deps, acting(world.admin), made.token.id)
    with pytest.raises(Gone):
        revoke_token(world.deps, acting(world.admin), made.token.id)


def test_an_unknown_token_is_not_found(world: World) -> None:
    for use_case in (get_token, revoke_token):
        with pytest.raises(NotFound):
            use_case(world.deps, acting(world.admin), generate_id(START))


def test_one_lists_ones_own_tokens_expired_ones_included(world: World) -> None:
    world.allow_everybody()
    short, long, other = world.token(world.maria, lifetime_seconds=1), world.token(world.maria), world.token(world.bob)
    gone = world.token(world.maria)
    revoke_token(world.deps, acting(world.maria), gone.token.id)
    world.clock.advance(seconds=2)
    mine = list_tokens(world.deps, acting(world.maria), owner_id=world.maria.id, page=ALL)
    assert [token.id for token in mine] == [short.token.id, long.token.id]
    deleted = list_tokens(
        world.deps, acting(world.maria), owner_id=world.maria.id, page=ALL, status=TokenStatus.DELETED
    )
    assert [token.id for token in deleted] == [gone.token.id]
    assert other.token.id not in {token.id for token in mine}


def test_administrators_list_anybodys_tokens_others_learn_nothing(world: World) -> None:
    world.allow_everybody()
    world.token(world.maria)
    assert len(list_tokens(world.deps, acting(world.admin), owner_id=world.maria.id, page=ALL)) == 1
    for nobody in (world.maria.id, generate_id(START)):
        with pytest.raises(NotFound):
            list_tokens(world.deps, acting(world.bob), owner_id=nobody, page=ALL)
    with pytest.raises(NotFound):
        list_tokens(world.deps, acting(world.admin), owner_id=generate_id(START), page=ALL)


def test_a_retry_gets_the_same_token_for_24_hours(world: World) -> None:
    first = world.token(world.admin, retry=RETRY)
    record_token_use(world.deps.store, Uses({first.token.id: START + timedelta(hours=1)}, []))
    world.clock.advance(hours=24, milliseconds=-1)
    again = world.token(world.admin, retry=RETRY)
    assert again.value.reveal() == first.value.reveal()
    assert again.token == first.token
    assert verdict(world, first.value.reveal()) is Reason.EXPIRED
    world.clock.advance(milliseconds=1)
    with pytest.raises(Conflict, match="24 hours"):
        world.token(world.admin, retry=RETRY)


def test_a_retry_makes_one_token_and_one_record(world: World) -> None:
    before = len(world.events())
    for _ in range(3):
        world.token(world.admin, retry=RETRY)
    assert len(world.events()) == before + 1
    assert len(list_tokens(world.deps, acting(world.admin), owner_id=world.admin.id, page=ALL)) == 1


def test_a_retry_with_another_body_or_after_deletion_conflicts(world: World) -> None:
    first = world.token(world.admin, retry=RETRY)
    with pytest.raises(Conflict, match="another body"):
        world.token(world.admin, retry=Retry(RETRY.key, b"{}"))
    revoke_token(world.deps, acting(world.admin), first.token.id)
    with pytest.raises(Conflict, match="deleted"):
        world.token(world.admin, retry=RETRY)


def test_a_retry_under_another_server_key_conflicts_and_shows_nothing(world: World) -> None:
    world.token(world.admin, retry=RETRY)
    world.keyring.server_key = lambda: b"\x08" * 32
    with pytest.raises(Conflict, match="server key"):
        world.token(world.admin, retry=RETRY)


def test_the_same_key_of_two_people_makes_two_tokens(world: World) -> None:
    world.allow_everybody()
    assert world.token(world.admin, retry=RETRY).token.id != world.token(world.maria, retry=RETRY).token.id


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\x00", "a\n"])
def test_a_key_that_cannot_be_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput, match="Idempotency-Key"):
        Retry(key, b"")


def test_a_rotated_pepper_is_taken_by_new_tokens_and_old_ones_go_on(world: World) -> None:
    old = world.token(world.admin)
    assert rotate_pepper(world.deps, world.keyring) == 2
    new = world.token(world.admin)
    assert (old.token.pepper, new.token.pepper) == (1, 2)
    for made in (old, new):
        assert verdict(world, made.value.reveal()) == world.admin.id
    assert dict(count_peppers(world.deps)) == {1: PepperUse(tokens=1), 2: PepperUse(tokens=1)}


def test_a_missing_pepper_is_an_outage_and_no_verdict(world: World) -> None:
    made = world.token(world.admin)
    world.keyring.peppers.clear()
    with pytest.raises(Unavailable):
        world.verifier.verify(made.value.reveal())


def test_a_retry_survives_a_rotated_pepper(world: World) -> None:
    first = world.token(world.admin, retry=RETRY)
    rotate_pepper(world.deps, world.keyring)
    assert world.token(world.admin, retry=RETRY).value.reveal() == first.value.reveal()


def test_the_console_owns_no_tokens(world: World) -> None:
    with pytest.raises(NotAllowed):
        create_token(world.deps, CONSOLE, lifetime_seconds=60)


def test_records_are_kept_400_days_after_expiry_and_deletion(world: World) -> None:
    expired, deleted = world.token(world.admin, lifetime_seconds=1), world.token(world.admin, lifetime_seconds=-1)
    endless = world.token(world.admin, lifetime_seconds=-1)
    revoke_token(world.deps, acting(world.admin), deleted.token.id)
    world.clock.advance(days=400)
    assert prune_tokens(world.deps) == 0
    world.clock.advance(seconds=2)
    assert prune_tokens(world.deps) == 2
    with pytest.raises(NotFound) as caught:
        get_token(world.deps, acting(world.admin), deleted.token.id)
    assert not isinstance(caught.value, Gone)
    assert world.events()[-1].details == {"count": 2}
    assert verdict(world, expired.value.reveal()) is Reason.UNKNOWN
    assert verdict(world, endless.value.reveal()) == world.admin.id


def test_pruning_much_works_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepass.services.prune_tokens._BATCH", 3)
    for _ in range(7):
        world.token(world.admin, lifetime_seconds=1)
    world.clock.advance(days=401)
    assert prune_tokens(world.deps) == 7
    assert [each.details["count"] for each in world.events() if each.action == "tokens.pruned"] == [3, 3, 1]


def test_whoever_may_not_generate_is_told_why_and_whom_to_ask(world: World) -> None:
    told = may_generate(world.deps, acting(world.maria))
    assert (told.allowed, told.ask) == (False, ("admin@example.com",))
    assert "only administrators" in told.reason
    told = may_generate(world.deps, acting(world.admin))
    assert (told.allowed, told.reason, told.ask) == (True, "", ())
