"""Count the people of an identity provider, whether it is configured or not."""

from dataclasses import dataclass

from gatepass.interfaces import Page
from gatepass.services.deps import StoreDeps

_STEP = 1000


@dataclass(frozen=True, slots=True)
class ProviderUsers:
    """How many people sign in by a provider, deleted ones apart."""

    all: int
    disabled: int


def count_provider_users(deps: StoreDeps, provider_id: str) -> ProviderUsers:
    """Read those of the provider and count them. For the server's own console."""
    people = disabled = 0
    with deps.store.read() as tx:
        page = tx.users.list_of_provider(provider_id, Page(limit=_STEP))
        while page:
            people += len(page)
            disabled += sum(not user.is_live for user in page)
            page = tx.users.list_of_provider(provider_id, Page(limit=_STEP, after=page[-1].id))
    return ProviderUsers(people, disabled)
