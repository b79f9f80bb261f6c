"""What an embedded verifier accepts and refuses is seen by the token's owner."""

import time

from gatepass.connect import EmbeddedVerifier, open_embedded
from gatepass.model.token import Token
from gatepass.model.use import DayCount
from gatepass.model.verdict import Reason, Rejected
from gatepass.services.create_token import create_token
from gatepass.services.deps import Deps
from gatepass.testing.fakes import knowing_password
from support.waiting import poll
from verifier.test_one_host import beside, data, deps, make

__all__ = ["beside", "data", "deps"]


def stored(deps: Deps, token: Token) -> Token:
    with deps.store.read() as tx:
        found = tx.tokens.find(token.id)
    assert found
    return found


def counts(deps: Deps, token: Token) -> dict[Reason | None, int]:
    with deps.store.read() as tx:
        days: list[DayCount] = list(tx.uses.list_days([token.id], 0))
    return {day.reason: day.count for day in days}


def test_a_first_use_is_written_within_five_seconds(deps: Deps, beside: EmbeddedVerifier) -> None:
    made = make(deps)
    began = time.monotonic()
    beside.verify(made.value.reveal())
    used = poll(lambda: stored(deps, made.token).last_used_at)
    assert time.monotonic() - began < 5
    assert used >= made.token.created_at


def test_what_is_left_is_written_when_it_closes(deps: Deps, data) -> None:
    with deps.store.read() as tx:
        admin = tx.users.find_by_email("admin@example.com")
    short = create_token(deps, knowing_password(deps, admin.id), lifetime_seconds=1)
    made = make(deps)
    with open_embedded(data) as verifier:
        for _ in range(3):
            verifier.verify(made.value.reveal())
        verifier.verify("nonsense")
        poll(lambda: isinstance(verifier.verify(short.value.reveal()), Rejected))
    assert counts(deps, made.token) == {None: 3}
    assert counts(deps, short.token)[Reason.EXPIRED] == 1
