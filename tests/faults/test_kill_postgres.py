"""kill -9 of servers and of PostgreSQL: what was acknowledged holds on every server, and nothing deleted comes back.

`fsync` is on, but a kill cannot tell whether it is: what was written to the operating system survives one.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from faults.killer_postgres import POINTS
from faults.two_servers import DATABASE, FIRST, SECOND, Site
from support.server import gatepass

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("killed-postgres")]
ROUNDS = 500
MOST_ROUNDS = 8
"""In which a mistake has to be found."""
LOST = (
    "deletion was acknowledged and is lost",
    "accepted after its deletion was acknowledged",
    "came back to life",
    "refused although nobody deleted it",
)
"""What a change that was not kept looks like: it depends on who asks first."""


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(closing(Site(tmp_path, **options)))


@pytest.mark.timeout(7200)
def test_killing_servers_and_database_loses_and_revives_nothing(build: Callable[..., Site]) -> None:
    site = build()
    for number in range(ROUNDS):
        site.play(number)
        assert site.findings == []
        if number % 10 == 9:
            print(site.figures.told(site.histories), flush=True)
    site.judge_all()
    assert site.findings == []
    deaths, known = site.figures.deaths, [token for history in site.histories for token in history.known]
    print(site.figures.told(site.histories), flush=True)
    assert len(known) > 5 * ROUNDS, "the load was too small to prove anything"
    assert sum(token.deletion == "ok" for token in known) > ROUNDS
    assert sum(history.unknown_creates for history in site.histories) > ROUNDS / 4
    assert deaths[DATABASE] > ROUNDS / 5
    assert sum(count for who, count in deaths.items() if " at " in who) > ROUNDS / 10
    assert {who.partition(" at ")[2] for who in deaths} >= {*POINTS}
    checked = gatepass("db", "check", *site.place)
    assert (checked.returncode, checked.stdout) == (0, "ok\n"), checked.stderr


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("mutant", "victims"), [("early_reply", [(FIRST, SECOND)]), ("lazy_commit", [(DATABASE,)])])
def test_a_mistake_is_found(build: Callable[..., Site], mutant: str, victims: list[tuple[str, ...]]) -> None:
    site = build(mutant=mutant, victims=victims)
    for number in range(MOST_ROUNDS):
        site.play(number)
        if any(finding.startswith(LOST) for finding in site.findings):
            return
        assert site.findings == []
    pytest.fail(f"not found in {MOST_ROUNDS} rounds")
