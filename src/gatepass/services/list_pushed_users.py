"""List people to the directory whose they are."""

from collections.abc import Sequence

from gatepass.interfaces import Page, Transaction
from gatepass.model.actor import Actor
from gatepass.model.pushed import PushedPage
from gatepass.model.user import User
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps


def list_pushed_users(
    deps: Deps, actor: Actor, page: Page, *, emails: Sequence[str] | None = None, subject: str | None = None
) -> PushedPage:
    """Return a page of the directory's people, oldest first.

    With `emails` only the first whose name is one of these, in that order; with `subject` only that person. Raises
    NotAllowed.
    """
    provider = actor.provider or ""
    with deps.store.read() as tx:
        authorise(tx, actor, Action.PUSH_USERS, now=deps.clock.now())
        if emails is None and subject is None:
            users = tx.users.list_of_provider(provider, page) if page.limit else []
            return PushedPage(users, tx.users.count_of_provider(provider))
        found = tx.users.find_by_subject(provider, subject) if subject is not None else None
        if emails is not None:
            found = _called(tx, provider, emails)
    several = [found] if found else []
    return PushedPage(several[page.offset : page.offset + page.limit], len(several))


def _called(tx: Transaction, provider: str, emails: Sequence[str]) -> User | None:
    found = (tx.users.find_by_email(each) for each in emails)
    return next((each for each in found if each and each.provider == provider and each.subject is not None), None)
