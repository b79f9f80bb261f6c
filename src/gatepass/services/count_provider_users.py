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
    """Read everybody and count those of the provider. For the server's own console."""
    people = disabled = 0
    with deps.store.read() as tx:
        page = tx.users.list(Page(limit=_STEP))
        while page:
            found = [user for user in page if user.provider == provider_id]
            people += len(found)
            disabled += sum(not user.is_live for user in found)
            page = tx.users.list(Page(limit=_STEP, after=page[-1].id))
    return ProviderUsers(people, disabled)
