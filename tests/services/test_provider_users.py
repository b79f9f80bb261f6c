"""How many people sign in by a provider."""

import pytest

from gatepass.services import count_provider_users as counting
from gatepass.services.count_provider_users import ProviderUsers, count_provider_users
from gatepass.testing.fakes import START
from gatepass.testing.records import keep_users, make_user
from services.conftest import World


def test_people_of_a_provider_are_counted_over_all_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_STEP", 2)
    for number in range(7):
        disabled_at = START if number == 3 else None
        provider = "corp" if number % 2 else "other"
        user = make_user(f"p{number}@example.com", provider=provider, subject=str(number), disabled_at=disabled_at)
        keep_users(world.store, user)
    assert count_provider_users(world.deps, "corp") == ProviderUsers(all=3, disabled=1)
    assert count_provider_users(world.deps, "nowhere") == ProviderUsers(all=0, disabled=0)
