"""Each policy by itself."""

import pytest

from gatepass.errors import InvalidInput, NotAllowed
from gatepass.interfaces import NewToken
from gatepass.model.settings import Settings
from gatepass.policies.max_lifetime import MaxLifetime
from gatepass.policies.who_may_generate import WhoMayGenerate
from gatepass.testing.records import make_user

ADMIN, PERSON = make_user("a@b", is_admin=True), make_user("c@d")


@pytest.mark.parametrize(("days", "seconds"), [(-1, -1), (-1, 10**9), (1, 86_400), (36_500, 3_153_600_000)])
def test_a_lifetime_within_the_maximum_passes(days: int, seconds: int) -> None:
    MaxLifetime().check(NewToken(PERSON, seconds), Settings(maximum_lifetime_days=days))


@pytest.mark.parametrize(("days", "seconds"), [(1, -1), (1, 86_401), (36_500, -1)])
@pytest.mark.parametrize("user", [ADMIN, PERSON])
def test_a_lifetime_over_the_maximum_is_refused_for_everybody(days: int, seconds: int, user) -> None:
    with pytest.raises(InvalidInput, match="lifetimeSeconds: must be at most"):
        MaxLifetime().check(NewToken(user, seconds), Settings(maximum_lifetime_days=days))


def test_administrators_may_always_generate_others_if_allowed() -> None:
    rule = WhoMayGenerate()
    rule.check(NewToken(ADMIN, 1), Settings())
    rule.check(NewToken(PERSON, 1), Settings(users_may_generate=True))
    with pytest.raises(NotAllowed):
        rule.check(NewToken(PERSON, 1), Settings())
