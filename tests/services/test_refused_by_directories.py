"""What is recorded of a refusal where a directory does not tell whom it concerns."""

from dataclasses import replace
from pathlib import Path

import pytest

from gatepass.model.identity import Refusal, Refused
from gatepass.model.secret import Secret
from services.conftest import World
from services.test_providers import Company
from support.toy import Options, ToyProvider


class Locking(ToyProvider):
    """Says of everybody that they are locked, and not what they are called for ever."""

    def check(self, account: str | None, _: Secret) -> Refused:
        return Refused(Refusal.UNKNOWN) if account is None else Refused(Refusal.LOCKED, login="anna")


@pytest.fixture
def company(world: World, tmp_path: Path) -> Company:
    made = Company(world, tmp_path / "people.json")
    locking = Locking(Options(people=str(made.file)), "corp", world.clock)
    made.deps = replace(made.deps, providers={"corp": replace(made.deps.providers["corp"], provider=locking)})
    return made


def test_why_somebody_was_refused_is_recorded_with_the_name_that_the_directory_knows(company: Company) -> None:
    assert company.refused("anna")
    record = company.world.events()[-1]
    assert (record.action, record.subject_id) == ("sign-in.refused", None)
    assert record.details == {"provider": "corp", "reason": "locked", "name": "anna"}


def test_nothing_is_recorded_of_a_name_that_no_directory_knows(company: Company) -> None:
    before = len(company.world.events())
    assert company.refused("nobody")
    assert len(company.world.events()) == before
