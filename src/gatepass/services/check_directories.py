"""Check a name and a password with the directories that are configured."""

import hmac
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from gatepass.errors import NotAuthenticated, Unavailable
from gatepass.interfaces import ConfiguredProvider, PasswordProvider, Transaction
from gatepass.model.device import Device
from gatepass.model.event import SignInRefused
from gatepass.model.identity import Finished, Identity, Refused
from gatepass.model.secret import Secret, generate_handle
from gatepass.model.user import User
from gatepass.services.admit_identity import admit_identity
from gatepass.services.deps import Deps


@dataclass(slots=True)
class Attempt:
    """One try at a password: where from, and what its failure counts under."""

    keys: list[bytes]
    turns: ExitStack
    """Holds the right to judge until the outcome is counted."""
    address: str | None = None
    request_id: str | None = None
    device: Device | None = None
    """The browser that it comes from, if somebody signed in there by this name and its own failures count alone."""
    refused: list[tuple[str, Refused]] = field(default_factory=list)
    """What each provider that knows the account said."""


def check_directories(deps: Deps, attempt: Attempt, login: str | None, password: Secret) -> tuple[User, str] | None:
    """Return whose password it is, and the account at their provider; None if it is nobody's.

    The first directory that knows the name decides. All of them do the same work whatever the name is; with
    None as `login` they are told no name and no password. Raises Unavailable if one is out of reach and the
    others say no, and TooManyRequests if it is not this account's turn.
    """
    found: tuple[User, str] | None = None
    outage: Unavailable | None = None
    decided = login is None
    for each in deps.providers.values():
        if each.passwords is None:
            continue
        try:
            account = _resolved(each.passwords, None if decided else login)
            identity = _checked(deps, attempt, each, account, password)
        except Unavailable as error:
            outage = error
            continue
        decided = decided or account is not None
        if identity is not None and account is not None:
            found = _admitted(deps, attempt, identity, account)
    if found is None and outage is not None:
        # SECURITY: for local names too, or an outage would tell which names are local.
        raise outage
    return found


def check_account(
    deps: Deps, attempt: Attempt, provider_id: str, account: str | None, password: Secret
) -> tuple[User, str] | None:
    """Return whose password it is at an account that is known already. Raises as `check_directories`."""
    configured = deps.providers.get(provider_id)
    if configured is None or account is None:
        return None
    identity = _checked(deps, attempt, configured, account, password)
    return _admitted(deps, attempt, identity, account) if identity else None


def identify(
    deps: Deps, attempt: Attempt, configured: ConfiguredProvider, login: str, password: Secret
) -> Identity | None:
    """Return who somebody is at one directory, None if it says no. Nobody is let in by that. Raises Unavailable."""
    if configured.passwords is None:
        return None
    return _checked(deps, attempt, configured, _resolved(configured.passwords, login), password)


def refusals(tx: Transaction, attempt: Attempt) -> Iterator[SignInRefused]:
    """Return what to record of an attempt: what directories said of people whom they know."""
    for provider_id, refused in attempt.refused:
        user = tx.users.find_by_subject(provider_id, refused.subject) if refused.subject else None
        user_id = user.id if user else None
        yield SignInRefused(
            subject_id=user_id, owner_id=user_id, provider=provider_id, reason=refused.reason.value, name=refused.login
        )


def _resolved(provider: PasswordProvider, login: str | None) -> str | None:
    """Return the account of a name. Without a name do the same work for one that nobody has."""
    found = provider.resolve(generate_handle().reveal() if login is None else login)
    return None if login is None else found


def _checked(
    deps: Deps, attempt: Attempt, configured: ConfiguredProvider, account: str | None, password: Secret
) -> Identity | None:
    """Return who it is, None if the provider says no."""
    provider = configured.passwords
    if provider is None:
        return None
    if account is not None and not _is_of(deps, attempt.device, configured.id, account):
        # However the name is spelled, the account has one counter.
        turn = deps.throttle.attempt_account(configured.id, account)
        attempt.keys += attempt.turns.enter_context(turn)
    # SECURITY: for nobody's account there is nobody's password.
    answer = provider.check(account, generate_handle() if account is None else password)
    if isinstance(answer, Refused):
        if account is not None and (answer.subject or answer.login) is not None:
            attempt.refused.append((configured.id, answer))
        return None
    return answer


def _is_of(deps: Deps, device: Device | None, provider_id: str, account: str) -> bool:
    """Tell whether somebody signed in to this very account in the browser. A name may stand for another one by now."""
    if device is None or device.account_key is None:
        return False
    return hmac.compare_digest(device.account_key, deps.throttle.provider_account_key(provider_id, account))


def _admitted(deps: Deps, attempt: Attempt, identity: Identity, account: str) -> tuple[User, str] | None:
    try:
        user = admit_identity(deps, Finished(identity), address=attempt.address, request_id=attempt.request_id)
    except NotAuthenticated:
        return None
    return user, account
