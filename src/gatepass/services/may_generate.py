"""Tell whether somebody may generate a token now, before they try."""

from dataclasses import dataclass

from gatepass.errors import NotAllowed
from gatepass.interfaces import ConfiguredProvider, NewToken, Page
from gatepass.model.actor import Actor
from gatepass.model.settings import Settings
from gatepass.model.user import User
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Generating:
    """Whether the actor may generate, within which settings, and whom to ask otherwise."""

    allowed: bool
    fresh: bool
    """Whether the sign-in is young enough; else the password has to be typed again."""
    elsewhere: ConfiguredProvider | None
    """Where they have to sign in again instead, if no password of theirs can be checked."""
    reason: str
    ask: tuple[str, ...]
    """Addresses of a few administrators, for people who may not."""
    settings: Settings


def may_generate(deps: Deps, actor: Actor) -> Generating:
    """Ask the policies about the shortest of lifetimes. Raises Disabled while tokens are off."""
    now = deps.clock.now()
    with deps.store.read() as tx:
        user = authorise(tx, actor, Action.LIST_TOKENS, now=now, owner_id=actor.user_id)
        settings = tx.settings.load()
        session = tx.sessions.find_by_id(actor.credential_id) if actor.credential_id else None
        reason = ""
        try:
            if user is None:
                raise NotAllowed("only a person can own a token")
            for policy in deps.policies:
                policy.check(NewToken(user, lifetime_seconds=1), settings)
        except NotAllowed as error:
            reason = str(error)
        admins = tx.users.list(Page(limit=_SHOWN), only="admins") if reason else []
        return Generating(
            allowed=not reason,
            fresh=session is not None and session.is_fresh(now),
            elsewhere=_elsewhere(deps, user),
            reason=reason,
            ask=tuple(admin.email for admin in admins),
            settings=settings,
        )


def _elsewhere(deps: Deps, user: User | None) -> ConfiguredProvider | None:
    configured = deps.providers.get(user.provider) if user else None
    return configured if configured is not None and configured.passwords is None else None
