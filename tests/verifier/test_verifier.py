"""A verifier answers from memory only what is certain, and is never wrong about a deletion."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from gatepass.errors import InvalidInput, NotAllowed, NotAuthenticated, Unavailable
from gatepass.model.presented import PresentedToken, parse_token
from gatepass.model.rights import FULL_ACCESS, Rights, check_rights
from gatepass.model.secret import generate_id, generate_secret
from gatepass.model.token import CreatedToken, TokenKind, write_token
from gatepass.model.verdict import Accepted, Reason, Rejected
from gatepass.services.change_settings import change_settings
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.delete_user import delete_user
from gatepass.services.revoke_token import revoke_token
from gatepass.testing.fakes import START, acting
from gatepass.verifier import cache
from gatepass.verifier.verifier import Verifier
from services.conftest import World
from verifier.conftest import Counting


def reason(verifier: Verifier, made: CreatedToken) -> Reason | None:
    found = verifier.verify(made.value.reveal())
    return found.reason if isinstance(found, Rejected) else None


def revoke(world: World, made: CreatedToken) -> None:
    revoke_token(world.deps, acting(world.admin), made.token.id)


def test_a_token_is_looked_up_once_and_remembered(world: World, verifier: Verifier, source: Counting) -> None:
    made = world.token(world.admin)
    expected = Accepted(made.token.id, world.admin.id, "admin@example.com", made.token.expires_at)
    for _ in range(5):
        assert verifier.verify(made.value.reveal()) == expected
    assert source.looks == 1


@pytest.mark.parametrize("rights", [(None, None, None), (["*:*"], None, None)])
def test_what_cannot_be_read_as_a_requirement_is_met_by_no_token(world: World, verifier: Verifier, rights) -> None:
    made = world.token(world.admin, rights=check_rights(*rights))
    for _ in range(2):  # looked up, then remembered
        found = verifier.verify(made.value.reveal(), None)
        assert isinstance(found, Rejected)
        assert found.reason is Reason.SCOPE


def test_a_deleted_token_is_refused_from_the_moment_the_deletion_returns(world: World, verifier: Verifier) -> None:
    made = world.token(world.admin)
    assert reason(verifier, made) is None
    revoke(world, made)
    assert reason(verifier, made) is Reason.DELETED


def test_the_deletion_of_one_token_costs_the_others_no_look_up(
    world: World, verifier: Verifier, source: Counting
) -> None:
    kept, deleted = world.token(world.admin), world.token(world.admin)
    assert (reason(verifier, kept), reason(verifier, deleted)) == (None, None)
    revoke(world, deleted)
    assert (reason(verifier, kept), source.looks) == (None, 2)


def test_an_owner_who_is_disabled_enabled_or_deleted_is_noticed(world: World, verifier: Verifier) -> None:
    world.allow_everybody()
    made, other = world.token(world.bob), world.token(world.maria)
    assert (reason(verifier, made), reason(verifier, other)) == (None, None)
    world.disable(world.bob)
    assert (reason(verifier, made), reason(verifier, other)) == (Reason.OWNER_DISABLED, None)
    change_user(world.deps, acting(world.admin), world.bob.id, UserChanges(is_disabled=False))
    assert reason(verifier, made) is None
    delete_user(world.deps, acting(world.admin), world.bob.id)
    assert (reason(verifier, made), reason(verifier, other)) == (Reason.OWNER_DELETED, None)


def test_an_owners_new_address_is_told_at_once(world: World, verifier: Verifier) -> None:
    made = world.token(world.admin)
    reason(verifier, made)
    change_user(world.deps, acting(world.admin), world.admin.id, UserChanges(email="root@example.com"))
    found = verifier.verify(made.value.reveal())
    assert isinstance(found, Accepted)
    assert found.owner_name == "root@example.com"


def test_the_feature_off_refuses_all_and_on_again_takes_them_back(world: World, verifier: Verifier) -> None:
    made = world.token(world.admin)
    assert reason(verifier, made) is None
    for enabled, expected in ((False, Reason.FEATURE_OFF), (True, None)):
        change_settings(world.deps, acting(world.admin), {"apiAccessTokens.enabled": enabled})
        assert reason(verifier, made) is expected


def test_an_expired_token_is_refused_from_memory_at_the_very_instant(world: World, verifier: Verifier) -> None:
    made = world.token(world.admin, lifetime_seconds=60)
    assert reason(verifier, made) is None
    world.clock.advance(timedelta(seconds=59.999))
    assert reason(verifier, made) is None
    world.clock.advance(timedelta(milliseconds=1))
    assert reason(verifier, made) is Reason.EXPIRED


def test_while_a_change_is_under_way_nothing_is_answered_from_memory(
    world: World, verifier: Verifier, source: Counting
) -> None:
    """A writer may have died after its commit: with one number alone the deletion would go unseen."""
    made = world.token(world.admin)
    reason(verifier, made)
    world.store.words[0] += 1
    for looks in (2, 3, 4):
        assert (reason(verifier, made), source.looks) == (None, looks)
    world.store.words[0] -= 1
    for _ in range(2):  # what was there before counts no more: it may be older than what was found meanwhile
        reason(verifier, made)
        assert source.looks == 5


def test_a_look_up_that_a_deletion_has_overtaken_is_not_remembered(
    world: World, verifier: Verifier, source: Counting
) -> None:
    made = world.token(world.admin)
    source.before_return = lambda: revoke(world, made)
    assert reason(verifier, made) is None  # it was good when it was asked
    source.before_return = lambda: None
    assert reason(verifier, made) is Reason.DELETED


def test_a_verifier_that_missed_more_changes_than_are_kept_forgets_everything(
    world: World, verifier: Verifier, source: Counting
) -> None:
    kept, deleted = world.token(world.admin), world.token(world.admin)
    reason(verifier, kept), reason(verifier, deleted)
    revoke(world, deleted)
    with world.store.write() as tx:
        tx.changes.prune(keep=0)
    assert (reason(verifier, deleted), reason(verifier, kept)) == (Reason.DELETED, None)
    assert source.looks == 4


def test_more_changed_tokens_than_are_noted_cost_look_ups_and_no_wrong_answer(
    world: World, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_MOST_CHANGES", 3)
    made = [world.token(world.admin) for _ in range(10)]
    assert {reason(verifier, each) for each in made} == {None}
    for gone in range(10):
        revoke(world, made[gone])
        assert [reason(verifier, each) for each in made] == [Reason.DELETED] * (gone + 1) + [None] * (9 - gone)


def test_tokens_in_use_stay_in_memory_however_many_others_change(
    world: World, verifier: Verifier, source: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_MOST_CHANGES", 6)
    used, others = [world.token(world.admin) for _ in range(3)], [world.token(world.admin) for _ in range(30)]
    for gone in others:
        assert {reason(verifier, each) for each in used} == {None}
        revoke(world, gone)
    assert source.looks == len(used)
    revoke(world, used[0])
    assert [reason(verifier, each) for each in used] == [Reason.DELETED, None, None]


def test_another_database_under_the_same_name_empties_the_memory(
    world: World, verifier: Verifier, source: Counting
) -> None:
    made = world.token(world.admin)
    revoke(world, world.token(world.admin))
    reason(verifier, made)
    world.store.words[:] = [0, 0]
    reason(verifier, made)
    assert source.looks == 2


def test_an_outage_is_unavailable_and_no_verdict(world: World, verifier: Verifier, source: Counting) -> None:
    def fail() -> None:
        raise Unavailable("gone")

    made, known = world.token(world.admin), world.token(world.admin)
    reason(verifier, known)
    source.before_return = fail
    with pytest.raises(Unavailable):
        verifier.verify(made.value.reveal())
    assert reason(verifier, known) is None  # nothing has changed since, and that is certain
    source.before_return = lambda: None
    assert reason(verifier, made) is None


@pytest.mark.parametrize("text", ["", "gpat_", "x" * 66, "é" * 66, "\ud800" * 66, "\0" * 66, "x" * 10_000_000])
def test_what_is_no_token_never_reaches_the_source(verifier: Verifier, source: Counting, text: str) -> None:
    assert verifier.verify(text) == Rejected(Reason.MALFORMED)
    assert source.looks == 0


def strange() -> str:
    return write_token(TokenKind.PERSONAL, generate_id(START), generate_secret()).reveal()


def test_an_unknown_token_is_refused_from_memory_for_a_minute(
    world: World, verifier: Verifier, source: Counting
) -> None:
    text = strange()
    assert [verifier.verify(text) for _ in range(3)] == [Rejected(Reason.UNKNOWN)] * 3
    assert source.looks == 1
    world.clock.advance(timedelta(seconds=cache.REFUSAL_SECONDS))
    verifier.verify(text)
    assert source.looks == 2


def test_unknown_tokens_never_push_out_good_ones_or_fill_the_memory(
    world: World, verifier: Verifier, source: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MOST_REFUSALS", 50)
    made = world.token(world.admin)
    reason(verifier, made)
    for _ in range(500):
        verifier.verify(strange())
        assert len(verifier._cache) <= 51
    looks = source.looks
    assert (reason(verifier, made), source.looks) == (None, looks)


def test_memory_is_bounded_and_keeps_what_is_in_use(world: World, verifier: Verifier, source: Counting) -> None:
    made = [world.token(world.admin) for _ in range(300)]
    for each in made:
        assert reason(verifier, made[0]) is None
        assert reason(verifier, each) is None
        assert len(verifier._cache) <= 100
    assert source.looks == 300


def test_tokens_of_one_owner_have_the_owner_in_memory_once(world: World) -> None:
    kept = cache.Cache(world.store, most=10)
    owner = generate_id(START)

    def keep(number: int) -> Accepted:
        # All of it made anew, as a look-up does.
        name, rights = f"person{len('1234')}@example.com", Rights(scopes=("orders:read",))
        verdict = Accepted(generate_id(START), UUID(bytes=owner.bytes), name, None, rights)
        found = kept.put(number.to_bytes(32, "big"), verdict, stamp=kept.stamp(), now=0)
        assert found == verdict
        return found

    one, other = keep(1), keep(2)
    for name in ("owner_id", "owner_name", "rights"):
        assert getattr(one, name) is getattr(other, name)


def test_owners_are_forgotten_too(world: World) -> None:
    kept = cache.Cache(world.store, most=10)
    for number in range(500):
        verdict = Accepted(generate_id(START), generate_id(START), f"person{number}@example.com", None)
        kept.put(number.to_bytes(32, "big"), verdict, stamp=None, now=0)  # a change is under way: nothing is kept
        assert len(kept._shared) <= 20


def test_a_blocking_source_is_asked_beside_the_event_loop(world: World, verifier: Verifier, source: Counting) -> None:
    made = world.token(world.admin)
    source.blocks = True

    async def ask() -> None:
        for text, expected in ((made.value.reveal(), None), ("nonsense", Reason.MALFORMED)):
            found = await verifier.verify_async(text)
            assert (found.reason if isinstance(found, Rejected) else None) is expected
        await verifier.verify_async(made.value.reveal())

    # In a thread of its own: this one may have a loop already.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, ask()).result()
    assert (reason(verifier, made), source.looks) == (None, 1)


def test_a_digest_sent_with_another_tokens_id_says_nothing_about_either(world: World, verifier: Verifier) -> None:
    """Both come from outside; a refusal of the pair must not stick to the token whose digest it is."""
    one, other = (parse_token(world.token(world.admin).value.reveal()) for _ in range(2))
    assert one
    assert other
    for _ in range(2):
        assert verifier.judge(PresentedToken(one.id, other.digest)) == Rejected(Reason.UNKNOWN)
        for right in (one, other):
            found = verifier.judge(right)
            assert isinstance(found, Accepted)
            assert found.token_id == right.id


def test_no_thread_ever_sees_a_token_accepted_after_its_deletion(world: World, verifier: Verifier) -> None:
    made = [world.token(world.admin) for _ in range(200)]
    deleted: list[CreatedToken] = []
    wrong: list[CreatedToken] = []
    done = threading.Event()

    def stalk() -> None:
        while not done.is_set():
            wrong.extend(each for each in list(deleted)[-20:] if reason(verifier, each) is None)
            for each in made[::7]:
                verifier.verify(each.value.reveal())

    threads = [threading.Thread(target=stalk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for each in made:
        reason(verifier, each)
        revoke(world, each)
        deleted.append(each)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_is_required_is_there_or_raises(world: World, verifier: Verifier) -> None:
    made = world.token(world.admin, rights=check_rights(["reports:read"], ["10.0.0.0/8"], ["billing"]))
    text = made.value.reveal()
    fitting = {"scope": "reports:read", "audience": "billing", "client": "10.1.2.3"}
    assert verifier.require(text, **fitting).token_id == made.token.id
    for wrong in ({"client": None}, {"client": "11.0.0.1"}, {"audience": None}, {"audience": "other"}):
        with pytest.raises(NotAuthenticated):
            verifier.require(text, **{**fitting, **wrong})
    for scope in ("reports:write", ["reports:read", "people:read"], "reports:*"):
        with pytest.raises(NotAllowed):
            verifier.require(text, **{**fitting, "scope": scope})


@pytest.mark.parametrize("scope", ["read", "a:b:c", "", "Reports:read", ["reports:read", ""]])
def test_a_scope_that_is_none_is_a_mistake_whatever_the_token_may(
    world: World, verifier: Verifier, scope: str | list[str]
) -> None:
    for rights in (FULL_ACCESS, check_rights(["*:*"], None, None)):
        with pytest.raises(InvalidInput, match="scope: "):
            verifier.require(world.token(world.admin, rights=rights).value.reveal(), scope=scope)


def test_a_presented_token_shows_no_digest(world: World) -> None:
    presented = parse_token(world.token(world.admin).value.reveal())
    assert presented
    assert presented.digest.hex() not in repr(presented)
    assert repr(presented.digest) not in repr(presented)
