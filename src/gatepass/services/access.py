"""Who may do what: the only authorisation table.

Everything is decided from what the open transaction reads, so that a right lost a moment ago is
lost: the actor's user, and the password, token or session they came with, are looked at again. Where a
token works from, and with which service, was checked at the door: that never changes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from gatepass.errors import Disabled, NotAllowed, NotAuthenticated, NotFound
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor, Credential
from gatepass.model.rights import FULL_ACCESS, Rights
from gatepass.model.scope import covers_all
from gatepass.model.token import TokenStatus
from gatepass.model.user import User


class Action(Enum):
    """Something an actor wants to do."""

    CREATE_TOKEN = auto()
    LIST_TOKENS = auto()
    GET_TOKEN = auto()
    REVOKE_TOKEN = auto()
    INTROSPECT_TOKEN = auto()
    LIST_USERS = auto()
    GET_USER = auto()
    CREATE_USER = auto()
    RENAME_USER = auto()
    CHANGE_USER = auto()
    DELETE_USER = auto()
    CHANGE_PASSWORD = auto()
    MANAGE_SESSIONS = auto()
    READ_SETTINGS = auto()
    CHANGE_SETTINGS = auto()
    LIST_EVENTS = auto()
    LIST_VERIFIERS = auto()
    MANAGE_VERIFIERS = auto()
    VERIFY_ELSEWHERE = auto()
    EXAMINE_PROVIDERS = auto()
    PUSH_USERS = auto()
    MOVE_TO_PROVIDER = auto()


@dataclass(frozen=True, slots=True)
class _Rule:
    owner: bool = False
    """The person it concerns may."""
    admin: bool = False
    """An administrator may, for anybody."""
    console: bool = False
    """The server's own console may."""
    verifier: bool = False
    """A registered verifier may, for anybody."""
    provider: bool = False
    """An identity provider's directory may, for its own people."""
    credentials: frozenset[Credential] = frozenset({Credential.PASSWORD, Credential.TOKEN, Credential.SESSION})
    """What a person must have come with."""
    fresh: bool = False
    """A session must have proven the password lately."""
    with_tokens_off: bool = True
    """It can be done while the token feature is off."""
    scope: str | None = None
    """What a token that has scopes must have among them; None: no scope is needed."""
    scope_for_itself: bool = True
    """Whether that scope is needed, too, for the very token or person that asks."""
    about: str = "record"
    """What it concerns, in the words of the error for what does not exist."""


_PROVEN = frozenset({Credential.PASSWORD, Credential.SESSION})

RULES = {
    Action.CREATE_TOKEN: _Rule(owner=True, fresh=True, with_tokens_off=False),
    Action.LIST_TOKENS: _Rule(owner=True, admin=True, with_tokens_off=False, scope="gatepass.tokens:read"),
    Action.GET_TOKEN: _Rule(owner=True, with_tokens_off=False, scope="gatepass.tokens:read", scope_for_itself=False),
    Action.REVOKE_TOKEN: _Rule(
        owner=True,
        admin=True,
        with_tokens_off=False,
        scope="gatepass.tokens:write",
        scope_for_itself=False,
        about="token",
    ),
    Action.INTROSPECT_TOKEN: _Rule(owner=True, admin=True, verifier=True, scope="gatepass.tokens:read"),
    Action.LIST_USERS: _Rule(admin=True, scope="gatepass.people:read"),
    Action.GET_USER: _Rule(owner=True, admin=True, scope="gatepass.people:read", scope_for_itself=False),
    Action.CREATE_USER: _Rule(admin=True, console=True, scope="gatepass.people:write"),
    Action.RENAME_USER: _Rule(owner=True, admin=True, scope="gatepass.people:write"),
    Action.CHANGE_USER: _Rule(admin=True, console=True, scope="gatepass.people:write"),
    Action.DELETE_USER: _Rule(admin=True, scope="gatepass.people:write"),
    Action.CHANGE_PASSWORD: _Rule(owner=True, credentials=_PROVEN),
    Action.MANAGE_SESSIONS: _Rule(owner=True, credentials=_PROVEN),
    Action.READ_SETTINGS: _Rule(admin=True, console=True, scope="gatepass.settings:read"),
    Action.CHANGE_SETTINGS: _Rule(admin=True, console=True, scope="gatepass.settings:write"),
    Action.LIST_EVENTS: _Rule(admin=True, scope="gatepass.events:read"),
    Action.LIST_VERIFIERS: _Rule(admin=True, console=True, scope="gatepass.settings:read"),
    Action.MANAGE_VERIFIERS: _Rule(admin=True, console=True, scope="gatepass.settings:write"),
    Action.VERIFY_ELSEWHERE: _Rule(verifier=True),
    Action.EXAMINE_PROVIDERS: _Rule(admin=True, scope="gatepass.settings:read"),
    Action.PUSH_USERS: _Rule(provider=True),
    Action.MOVE_TO_PROVIDER: _Rule(owner=True, credentials=_PROVEN, fresh=True),
}


def authorise(
    tx: Transaction,
    actor: Actor,
    action: Action,
    *,
    now: datetime,
    owner_id: UUID | None = None,
    subject_id: UUID | None = None,
) -> User | None:
    """Return the acting user (None for providers, the console and verifiers) if they may, else raise.

    `owner_id` is the person whom it concerns, `subject_id` the one token or person that it is about.
    Raises Disabled while the feature is off, NotAuthenticated if actor or credential are dead by now,
    NotFound if the actor must not learn that the thing exists, NotAllowed otherwise.
    """
    rule = RULES[action]
    if not rule.with_tokens_off and not tx.settings.load().enabled:
        raise Disabled("tokens are switched off")
    if actor.user_id is None:
        _require_not_a_person(tx, actor, rule)
        return None
    user, rights = _live_user(tx, actor, now)
    is_itself = subject_id is not None and subject_id in {user.id, actor.credential_id}
    needed = rule.scope if rule.scope_for_itself or not is_itself else None
    # SECURITY: asked before anything else, so that the answer does not depend on what exists.
    if needed is not None and not covers_all(rights.scopes, [needed]):
        raise NotAllowed(f"the token used here does not have the scope {needed}")
    is_owner = owner_id is not None and owner_id == user.id
    if not (rule.owner and is_owner) and not (rule.admin and user.is_admin):
        # SECURITY: whoever may not see other people's things does not learn which of them exist.
        if owner_id is None or is_owner:
            raise NotAllowed("only an administrator may do this")
        raise NotFound(f"there is no such {rule.about}")
    if actor.credential not in rule.credentials:
        raise NotAllowed("a token is not enough for this; use the username and password")
    if rule.fresh and actor.credential is Credential.SESSION and not _is_fresh(tx, actor, now):
        raise NotAllowed("the sign-in is older than 15 minutes; type the password again")
    return user


def require_same_password(tx: Transaction, user: User, set_at: datetime | None) -> None:
    """Raise NotAuthenticated unless the user's password is still the one that was set at `set_at`.

    Of somebody's elsewhere nothing is kept here: their provider judged it in this very request (None).
    """
    if not user.is_local and set_at is None:
        return
    stored = tx.users.find_password(user.id)
    if stored is None or stored.changed_at != set_at:
        raise NotAuthenticated


def _require_not_a_person(tx: Transaction, actor: Actor, rule: _Rule) -> None:
    """Raise unless the console, a directory, or a verifier that is registered by now, may do this."""
    if actor.credential is Credential.VERIFIER and rule.verifier:
        verifier = tx.verifiers.find(actor.credential_id) if actor.credential_id else None
        if verifier is None or verifier.removed_at is not None:
            raise NotAuthenticated
    elif actor.credential is Credential.PROVIDER and actor.provider is not None and rule.provider:
        pass  # its credential stands in the configuration; whose people they are is looked at with each of them
    elif actor.credential is not Credential.CONSOLE or not rule.console:
        raise NotAllowed("only a person can do this")


def _live_user(tx: Transaction, actor: Actor, now: datetime) -> tuple[User, Rights]:
    """Return the actor's user, and what the credential is restricted to, if both are still good."""
    rights = FULL_ACCESS
    user = tx.users.find(actor.user_id) if actor.user_id else None
    if user is None or not user.is_live:
        raise NotAuthenticated
    if actor.credential is Credential.PASSWORD:
        require_same_password(tx, user, actor.password_at)
    if actor.credential is Credential.TOKEN:
        token = tx.tokens.find(actor.credential_id) if actor.credential_id else None
        if token is None or token.owner_id != user.id or token.status(now) is not TokenStatus.ACTIVE:
            raise NotAuthenticated
        if not tx.settings.load().enabled:
            raise NotAuthenticated
        rights = token.rights
    if actor.credential is Credential.SESSION:
        session = tx.sessions.find_by_id(actor.credential_id) if actor.credential_id else None
        if session is None or session.user_id != user.id or session.is_over(now):
            raise NotAuthenticated
    return user, rights


def _is_fresh(tx: Transaction, actor: Actor, now: datetime) -> bool:
    session = tx.sessions.find_by_id(actor.credential_id) if actor.credential_id else None
    return session is not None and session.is_fresh(now)
