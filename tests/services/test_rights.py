"""Rights in the use cases: what a token was given at creation bounds all it is used for here."""

from datetime import timedelta

import pytest

from gatepass.errors import Conflict, NotAllowed, NotFound
from gatepass.interfaces import Page
from gatepass.model.actor import Actor, Credential
from gatepass.model.presented import parse_token
from gatepass.model.rights import FULL_ACCESS, Rights, check_rights
from gatepass.model.secret import generate_id
from gatepass.model.verdict import Accepted
from gatepass.services.access import RULES, Action, authorise
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_token import create_token
from gatepass.services.get_token import get_token
from gatepass.services.get_user import get_user
from gatepass.services.list_tokens import list_tokens
from gatepass.services.retry import Retry
from gatepass.services.revoke_token import revoke_token
from gatepass.testing.fakes import acting
from services.conftest import World

JOBS = check_rights(["jobs:*"], ["10.0.0.0/8"], ["gatepass", "orders"])
RETRY = Retry("renewal", b"{}")
SCOPES = {
    Action.CREATE_TOKEN: None,
    Action.LIST_TOKENS: "gatepass.tokens:read",
    Action.GET_TOKEN: "gatepass.tokens:read",
    Action.REVOKE_TOKEN: "gatepass.tokens:write",
    Action.LIST_USERS: "gatepass.people:read",
    Action.GET_USER: "gatepass.people:read",
    Action.CREATE_USER: "gatepass.people:write",
    Action.RENAME_USER: "gatepass.people:write",
    Action.CHANGE_USER: "gatepass.people:write",
    Action.DELETE_USER: "gatepass.people:write",
    Action.CHANGE_PASSWORD: None,
    Action.MANAGE_SESSIONS: None,
    Action.READ_SETTINGS: "gatepass.settings:read",
    Action.CHANGE_SETTINGS: "gatepass.settings:write",
    Action.LIST_EVENTS: "gatepass.events:read",
    Action.INTROSPECT_TOKEN: "gatepass.tokens:read",
    Action.LIST_VERIFIERS: "gatepass.settings:read",
    Action.MANAGE_VERIFIERS: "gatepass.settings:write",
    Action.VERIFY_ELSEWHERE: None,
    Action.EXAMINE_PROVIDERS: "gatepass.settings:read",
    Action.MOVE_TO_PROVIDER: None,
    Action.PUSH_USERS: None,
}


def with_token(world: World, rights: Rights) -> Actor:
    """Return the administrator, coming with a token of these rights."""
    return Actor(Credential.TOKEN, world.admin.id, world.token(world.admin, rights=rights).token.id)


def ask(world: World, actor: Actor, action: Action) -> None:
    with world.store.read() as tx:
        authorise(tx, actor, action, now=world.clock.now(), owner_id=actor.user_id)


def test_a_verdict_carries_the_rights_of_its_token(world: World) -> None:
    for rights in (FULL_ACCESS, JOBS):
        presented = parse_token(world.token(world.admin, rights=rights).value.reveal())
        assert presented
        found = world.verifier.judge(presented)
        assert isinstance(found, Accepted)
        assert found.rights == rights


def test_a_child_has_what_is_asked_within_its_parents_rights(world: World) -> None:
    parent = with_token(world, JOBS)
    same = create_token(world.deps, parent, lifetime_seconds=60)
    narrower = create_token(world.deps, parent, lifetime_seconds=60, rights=Rights(scopes=("jobs:run",)))
    assert same.token.rights == JOBS
    assert narrower.token.rights == Rights(("jobs:run",), JOBS.networks, JOBS.audience)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (check_rights(["*:*"], None, None), "scopes"),
        (check_rights(None, ["0.0.0.0/0"], None), "allowedNetworks"),
        (check_rights(None, None, ["billing"]), "audience"),
    ],
)
def test_a_child_that_would_exceed_its_parent_is_not_made(world: World, asked: Rights, named: str) -> None:
    parent = with_token(world, JOBS)
    before = (world.events(), list_tokens(world.deps, acting(world.admin), owner_id=world.admin.id, page=Page(limit=9)))
    with pytest.raises(NotAllowed, match=named):
        create_token(world.deps, parent, lifetime_seconds=60, rights=asked)
    after = (world.events(), list_tokens(world.deps, acting(world.admin), owner_id=world.admin.id, page=Page(limit=9)))
    assert after == before


def test_a_grandchild_is_bounded_too(world: World) -> None:
    child = create_token(world.deps, with_token(world, JOBS), lifetime_seconds=60)
    with pytest.raises(NotAllowed):
        create_token(
            world.deps,
            Actor(Credential.TOKEN, world.admin.id, child.token.id),
            lifetime_seconds=60,
            rights=Rights(scopes=("people:read",)),
        )


def test_a_retry_with_a_narrower_token_does_not_get_a_wider_value(world: World) -> None:
    create_token(world.deps, acting(world.admin), lifetime_seconds=60, retry=RETRY)
    with pytest.raises(NotAllowed, match="more rights"):
        create_token(world.deps, with_token(world, JOBS), lifetime_seconds=60, retry=RETRY)


def test_a_retry_with_the_same_token_gets_the_same_value(world: World) -> None:
    parent = with_token(world, JOBS)
    first, second = (create_token(world.deps, parent, lifetime_seconds=60, retry=RETRY) for _ in range(2))
    assert first.value.reveal() == second.value.reveal()
    world.clock.advance(hours=25)
    with pytest.raises(Conflict):
        create_token(world.deps, acting(world.admin), lifetime_seconds=60, retry=RETRY)


def test_the_audit_record_of_a_creation_says_what_it_is_restricted_to(world: World) -> None:
    world.token(world.admin, rights=JOBS)
    details = world.events()[-1].details
    assert details["scopes"] == ["jobs:*"]
    assert details["allowed_networks"] == ["10.0.0.0/8"]
    assert details["audience"] == ["gatepass", "orders"]
    world.token(world.admin)
    assert not {"scopes", "allowed_networks", "audience"} & world.events()[-1].details.keys()


def test_every_action_names_the_scope_that_it_needs() -> None:
    assert {action: rule.scope for action, rule in RULES.items()} == SCOPES


@pytest.mark.parametrize("action", [action for action, scope in SCOPES.items() if scope])
def test_a_token_needs_the_scope_of_what_it_does(world: World, action: Action) -> None:
    needed = SCOPES[action]
    noun, verb = needed.split(":")
    for enough in (needed, f"{noun}:*", f"*:{verb}", "*:*"):
        ask(world, with_token(world, Rights(scopes=(enough,))), action)
    others = tuple({scope for scope in SCOPES.values() if scope} - {needed})
    for scopes in ((), others, ("jobs:*",)):
        with pytest.raises(NotAllowed, match=needed):
            ask(world, with_token(world, Rights(scopes=scopes)), action)


def test_a_token_that_is_restricted_elsewhere_only_needs_no_scope(world: World) -> None:
    for action, scope in SCOPES.items():
        if scope:
            ask(world, with_token(world, Rights(networks=JOBS.networks, audience=JOBS.audience)), action)


def test_no_scope_is_needed_for_renewal_and_for_the_token_and_person_themselves(world: World) -> None:
    actor = with_token(world, Rights(scopes=()))
    assert actor.user_id is not None
    assert actor.credential_id is not None
    assert create_token(world.deps, actor, lifetime_seconds=60).token.rights.scopes == ()
    assert get_user(world.deps, actor, actor.user_id).id == world.admin.id
    assert get_token(world.deps, actor, actor.credential_id).id == actor.credential_id
    with pytest.raises(NotAllowed):
        change_user(world.deps, actor, actor.user_id, UserChanges(name="New"))
    with pytest.raises(NotAllowed):
        list_tokens(world.deps, actor, owner_id=actor.user_id, page=Page(limit=1))
    revoke_token(world.deps, actor, actor.credential_id)


def test_without_the_scope_nobody_learns_which_tokens_exist(world: World) -> None:
    world.allow_everybody()
    actor = Actor(Credential.TOKEN, world.bob.id, world.token(world.bob, rights=Rights(scopes=())).token.id)
    for token_id in (
        world.token(world.maria).token.id,
        world.token(world.bob).token.id,
        generate_id(world.clock.now()),
    ):
        for use in (get_token, revoke_token):
            with pytest.raises(NotAllowed) as caught:
                use(world.deps, actor, token_id)
            assert not isinstance(caught.value, NotFound)


def test_a_dead_token_is_still_no_credential_whatever_its_scopes(world: World) -> None:
    from gatepass.errors import NotAuthenticated

    actor = with_token(world, Rights(scopes=("*:*",)))
    world.clock.advance(seconds=timedelta(hours=2).total_seconds())
    with pytest.raises(NotAuthenticated):
        ask(world, actor, Action.LIST_TOKENS)
