"""Check a name and a password at one directory, for somebody who is signed in here. Nobody is let in by it."""

from contextlib import ExitStack

from gatepass.errors import NotAuthenticated, NotFound
from gatepass.model.actor import Actor
from gatepass.model.identity import Identity
from gatepass.model.secret import Secret
from gatepass.services.access import Action, authorise
from gatepass.services.check_directories import Attempt, identify
from gatepass.services.check_password import counting_failure
from gatepass.services.deps import Deps


def check_password_there(deps: Deps, actor: Actor, provider_id: str, *, login: str, password: Secret) -> Identity:
    """Return who it is at that directory.

    It is throttled, and its failures count, as a sign-in. Raises NotAuthenticated for every refusal alike,
    TooManyRequests and Unavailable as `check_password`, NotFound without such a provider.
    """
    with deps.store.read() as tx:
        authorise(tx, actor, Action.MANAGE_SESSIONS, now=deps.clock.now(), owner_id=actor.user_id)
    configured = deps.providers.get(provider_id)
    if configured is None:
        raise NotFound("there is no such identity provider")
    with ExitStack() as turns:
        keys = turns.enter_context(deps.throttle.attempt(login, actor.address, folded=True))
        attempt = Attempt(list(keys), turns, actor.address, actor.request_id)
        with counting_failure(deps, attempt, None):
            identity = identify(deps, attempt, configured, login, password)
            if identity is None:
                raise NotAuthenticated
    return identity
