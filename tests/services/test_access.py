"""Who may do what: every action for every kind of actor, and the credentials that died meanwhile."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from gatepass.errors import Disabled, NotAllowed, NotAuthenticated, NotFound
from gatepass.model.actor import CONSOLE, SYSTEM, Actor, Credential
from gatepass.model.secret import generate_id
from gatepass.services.access import RULES, Action, authorise
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.delete_user import delete_user
from gatepass.services.require_examiner import require_examiner
from gatepass.services.revoke_token import revoke_token
from gatepass.services.sign_out import sign_out
from gatepass.testing.fakes import START, acting
from services.conftest import World

OK = None
A = Action
# For each action: what the person themselves, another person, an administrator and the console get.
# "nobody's" actions concern no person; there self and other are the same.
TABLE: dict[
    Action, tuple[type[Exception] | None, type[Exception] | None, type[Exception] | None, type[Exception] | None]
] = {
    A.CREATE_TOKEN: (OK, NotFound, NotFound, NotAllowed),
    A.LIST_TOKENS: (OK, NotFound, OK, NotAllowed),
    A.GET_TOKEN: (OK, NotFound, NotFound, NotAllowed),
    A.REVOKE_TOKEN: (OK, NotFound, OK, NotAllowed),
    A.INTROSPECT_TOKEN: (OK, NotFound, OK, NotAllowed),
    A.LIST_USERS: (NotAllowed, NotAllowed, OK, NotAllowed),
    A.GET_USER: (OK, NotFound, OK, NotAllowed),
    A.CREATE_USER: (NotAllowed, NotAllowed, OK, OK),
    A.RENAME_USER: (OK, NotFound, OK, NotAllowed),
    A.CHANGE_USER: (NotAllowed, NotFound, OK, OK),
    A.DELETE_USER: (NotAllowed, NotFound, OK, NotAllowed),
    A.CHANGE_PASSWORD: (OK, NotFound, NotFound, NotAllowed),
    A.MANAGE_SESSIONS: (OK, NotFound, NotFound, NotAllowed),
    A.READ_SETTINGS: (NotAllowed, NotAllowed, OK, OK),
    A.CHANGE_SETTINGS: (NotAllowed, NotAllowed, OK, OK),
    A.LIST_EVENTS: (NotAllowed, NotAllowed, OK, NotAllowed),
    A.LIST_VERIFIERS: (NotAllowed, NotAllowed, OK, OK),
    A.MANAGE_VERIFIERS: (NotAllowed, NotAllowed, OK, OK),
    A.VERIFY_ELSEWHERE: (NotAllowed, NotAllowed, NotAllowed, NotAllowed),
    A.EXAMINE_PROVIDERS: (NotAllowed, NotAllowed, OK, NotAllowed),
    A.PUSH_USERS: (NotAllowed, NotAllowed, NotAllowed, NotAllowed),
    A.MOVE_TO_PROVIDER: (OK, NotFound, NotFound, NotAllowed),
}
NOBODYS = {
    A.LIST_USERS,
    A.CREATE_USER,
    A.READ_SETTINGS,
    A.CHANGE_SETTINGS,
    A.LIST_EVENTS,
    A.LIST_VERIFIERS,
    A.MANAGE_VERIFIERS,
    A.VERIFY_ELSEWHERE,
    A.EXAMINE_PROVIDERS,
    A.PUSH_USERS,
}
WITHOUT_TOKENS = {A.CREATE_TOKEN, A.LIST_TOKENS, A.GET_TOKEN, A.REVOKE_TOKEN}


def outcome(world: World, actor: Actor, action: Action) -> type[Exception] | None:
    """Return what an actor gets who wants to do something that concerns Maria."""
    owner_id = None if action in NOBODYS else world.maria.id
    try:
        with world.store.read() as tx:
            authorise(tx, actor, action, now=world.clock.now(), owner_id=owner_id)
    except (NotAllowed, NotAuthenticated, NotFound) as error:
        return type(error)
    return None


def test_the_table_below_knows_every_action() -> None:
    assert TABLE.keys() == RULES.keys() == set(Action)


@pytest.mark.parametrize("action", Action)
def test_each_kind_of_actor_gets_what_the_table_says(world: World, action: Action) -> None:
    actors = (acting(world.maria), acting(world.bob), acting(world.admin), CONSOLE)
    assert tuple(outcome(world, actor, action) for actor in actors) == TABLE[action]


def test_only_who_may_try_providers_sees_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    require_examiner(world.deps, acting(world.admin))
    for actor in (acting(world.maria), CONSOLE, SYSTEM):
        with pytest.raises(NotAllowed):
            require_examiner(world.deps, actor)
    monkeypatch.setitem(RULES, Action.EXAMINE_PROVIDERS, RULES[Action.CREATE_TOKEN])
    with pytest.raises(NotAllowed):
        require_examiner(world.deps, acting(world.admin))


@pytest.mark.parametrize("action", Action)
def test_the_system_itself_asks_for_nothing(world: World, action: Action) -> None:
    assert outcome(world, SYSTEM, action) is NotAllowed


@pytest.mark.parametrize("action", Action)
def test_a_token_can_do_all_but_what_needs_the_password(world: World, action: Action) -> None:
    world.allow_everybody()
    for user, column in ((world.maria, 0), (world.bob, 1), (world.admin, 2)):
        expected = TABLE[action][column]
        if action in {A.CHANGE_PASSWORD, A.MANAGE_SESSIONS, A.MOVE_TO_PROVIDER} and expected is OK:
            expected = NotAllowed
        assert outcome(world, world.token_actor(user), action) is expected


@pytest.mark.parametrize("action", Action)
def test_a_session_can_do_what_the_password_can_while_it_is_fresh(world: World, action: Action) -> None:
    actor = world.session_actor(world.maria)
    assert outcome(world, actor, action) is TABLE[action][0]
    world.clock.advance(minutes=15)
    expected = NotAllowed if action in {A.CREATE_TOKEN, A.MOVE_TO_PROVIDER} else TABLE[action][0]
    assert outcome(world, actor, action) is expected


@pytest.mark.parametrize("action", Action)
def test_while_tokens_are_off_their_routes_do_not_exist_for_anybody(world: World, action: Action) -> None:
    with world.store.write() as tx:
        tx.settings.save(tx.settings.load().changed({"apiAccessTokens.enabled": False}))
    for actor in (acting(world.maria), acting(world.admin), CONSOLE):
        expected = Disabled if action in WITHOUT_TOKENS else None
        assert (outcome(world, actor, action) is Disabled) is (expected is Disabled)


Ending = Callable[[World, Actor], None]


def disable(world: World, _: Actor) -> None:
    world.disable(world.maria)


def delete(world: World, _: Actor) -> None:
    delete_user(world.deps, acting(world.admin), world.maria.id)


def switch_off(world: World, _: Actor) -> None:
    world.change(**{"apiAccessTokens.enabled": False})


def end_credential(world: World, actor: Actor) -> None:
    if actor.credential is Credential.TOKEN:
        revoke_token(world.deps, acting(world.maria), actor.credential_id)
    else:
        sign_out(world.deps, actor)


def let_it_expire(world: World, _: Actor) -> None:
    world.clock.advance(hours=12)


@pytest.mark.parametrize("credential", [Credential.PASSWORD, Credential.TOKEN, Credential.SESSION])
@pytest.mark.parametrize("ending", [disable, delete, switch_off, end_credential, let_it_expire])
def test_a_credential_that_died_meanwhile_does_nothing_any_more(
    world: World, credential: Credential, ending: Ending
) -> None:
    """Every way to end, for every credential: none lives on in another one (the T2 matrix)."""
    world.allow_everybody()
    actor = {
        Credential.PASSWORD: lambda: acting(world.maria),
        Credential.TOKEN: lambda: world.token_actor(world.maria),
        Credential.SESSION: lambda: world.session_actor(world.maria),
    }[credential]()
    survives = {
        Credential.PASSWORD: {switch_off, let_it_expire},
        Credential.TOKEN: set(),
        Credential.SESSION: {switch_off},
    }[credential]
    if credential is Credential.PASSWORD and ending is end_credential:
        return  # a password that was checked has nothing that could end
    assert outcome(world, actor, A.GET_USER) is None
    ending(world, actor)
    assert outcome(world, actor, A.GET_USER) is (None if ending in survives else NotAuthenticated)


def test_rights_lost_meanwhile_are_lost(world: World) -> None:
    world.allow_everybody()
    change_user(world.deps, acting(world.admin), world.maria.id, UserChanges(is_admin=True))
    actor = world.token_actor(world.maria)
    assert outcome(world, actor, A.LIST_USERS) is None
    change_user(world.deps, acting(world.admin), world.maria.id, UserChanges(is_admin=False))
    assert outcome(world, actor, A.LIST_USERS) is NotAllowed


@pytest.mark.parametrize("credential", [Credential.TOKEN, Credential.SESSION])
def test_an_invented_credential_is_nobody(world: World, credential: Credential) -> None:
    for credential_id in (None, generate_id(START)):
        assert outcome(world, Actor(credential, world.maria.id, credential_id), A.GET_USER) is NotAuthenticated


def test_somebody_elses_credential_is_nobody(world: World) -> None:
    world.allow_everybody()
    token, session = world.token_actor(world.bob), world.session_actor(world.bob)
    for stolen in (token, session):
        actor = Actor(stolen.credential, world.maria.id, stolen.credential_id)
        assert outcome(world, actor, A.GET_USER) is NotAuthenticated


def test_a_session_idles_out_for_actions_too(world: World) -> None:
    actor = world.session_actor(world.maria)
    world.clock.advance(timedelta(minutes=30))
    assert outcome(world, actor, A.GET_USER) is NotAuthenticated
