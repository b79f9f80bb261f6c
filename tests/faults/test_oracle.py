"""The oracle itself: each rule with a history that keeps it and one that breaks it."""

from dataclasses import replace
from pathlib import Path

import pytest

from faults.oracle import FEATURE, NEVER, SECOND, Call, Final, Finding, check
from faults.recorder import Recorder, read_history
from faults.vacuity import Least, measure

CREATED = Call("create", "t", "serve", 10, 20, "ok", owner="p")


def delete(begun: float, ended: float = NEVER, outcome: str = "unknown") -> Call:
    return Call("delete", "t", "serve", begun, ended, outcome)


def switch(op: str, begun: float, ended: float = NEVER, outcome: str = "unknown", subject: str = "p") -> Call:
    return Call(op, subject, "serve", begun, ended, outcome)


def allow(begun: float, ended: float, *, door: str = "beside", owner: str = "p", name: str | None = None) -> Call:
    return Call("verify", "t", door, begun, ended, "allow", owner=owner, name=name, told="t")


def deny(begun: float, ended: float, *, door: str = "beside", reason: str | None = None) -> Call:
    return Call("verify", "t", door, begun, ended, "deny", reason=reason)


def rules(*calls: Call, final: Final | None = None) -> set[str]:
    return {finding.rule for finding in check([CREATED, *calls], final)}


@pytest.mark.parametrize(
    "calls",
    [
        (allow(15, 30), deny(15, 18), deny(1, 9)),  # overlapping its creation, and before it
        (delete(30, 40, "ok"), allow(25, 29), allow(35, 60), allow(40, 41), deny(39, 50), deny(41, 50)),
        (delete(30, 40, "fail"), allow(50, 60)),
        (delete(30), allow(50, 60), deny(61, 70)),  # not acknowledged: it may come whenever it wants to
        (delete(30, 40), deny(50, 60)),
        (delete(30, 40), allow(50, 60)),
        (switch("disable", 30, 40, "ok"), deny(41, 45), switch("enable", 50, 60, "ok"), allow(61, 70), deny(51, 55)),
        (switch("disable", 30, 40), allow(41, 45), switch("enable", 50, 60, "ok"), allow(61, 70)),
        (switch("disable", 30, 40), deny(41, 45), switch("enable", 50, 60, "ok"), allow(61, 70)),
        (switch("off", 30, 40, "ok", FEATURE), deny(41, 49), switch("on", 50, 60, "ok", FEATURE), allow(61, 70)),
        (switch("off", 30, 40, "ok", FEATURE), deny(41, 49, reason="feature-off")),
        (Call("verify", "t", "beside", 30, 40),),  # 503: says nothing
        (switch("rename", 30, 40, "ok"), allow(35, 37, name="old")),
    ],
)
def test_what_can_happen_is_no_finding(calls: tuple[Call, ...]) -> None:
    old = Call("rename", "p", "serve", 1, 2, "ok", name="old")
    named = [replace(call, name="new") if call.op == "rename" else call for call in calls]
    assert check([old, CREATED, *named]) == []


@pytest.mark.parametrize(
    ("rule", "calls"),
    [
        ("R1", (allow(1, 9),)),
        ("R1", (Call("verify", "forged", "beside", 30, 40, "allow", owner="p"),)),
        ("R2", (delete(30, 40, "ok"), allow(41, 42))),
        ("R2", (switch("disable", 30, 40, "ok"), allow(41, 42))),
        ("R2", (switch("remove", 30, 40, "ok"), switch("enable", 50, 60, "fail"), allow(61, 62))),
        ("R2", (switch("off", 30, 40, "ok", FEATURE), allow(41, 42))),
        ("R3", (delete(30), deny(41, 42), allow(43, 44))),
        # Its process is dead, and somebody else has changed something since: it did nothing, for ever.
        ("R3", (delete(30, 40), Call("create", "u", "a", 41, 42, "ok", owner="p"), allow(43, 44), deny(45, 46))),
        ("R3", (switch("disable", 30, 40), deny(41, 42, door="a"), allow(43, 44, door="b"))),
        ("R4", (deny(21, 29),)),
        ("R4", (delete(30, 40, "fail"), deny(50, 60))),
        ("R4", (switch("disable", 30, 40, "ok"), switch("enable", 50, 60, "ok"), deny(61, 70))),
        ("R4", (switch("disable", 30, 40, "ok"), deny(41, 42, reason="deleted"))),
        ("R5", (switch("disable", 1, 5, "ok"),)),
        ("R5", (switch("off", 1, 5, "ok", FEATURE),)),
        ("R9", (allow(21, 22, owner="q"),)),
        ("R9", (replace(allow(21, 22), told="another"),)),
    ],
)
def test_what_cannot_happen_is_found(rule: str, calls: tuple[Call, ...]) -> None:
    assert rules(*calls) == {rule}


BOUND = 100


def bounded(*calls: Call, final: Final | None = None) -> set[str]:
    return {finding.rule for finding in check([replace(CREATED, door="serve"), *calls], final, bound=BOUND)}


@pytest.mark.parametrize(
    "calls",
    [
        (deny(21, 29), deny(100, 119), allow(130, 131)),  # not heard of everywhere yet
        (delete(30, 40, "ok"), allow(130, 150), deny(60, 61, door="other")),
        (delete(30, 40, "ok"), allow(130, 150), deny(141, 150)),
        (delete(30, 40, "ok"), deny(41, 42, door="serve"), allow(100, 139)),
        (switch("disable", 30, 40, "ok"), allow(139, 150), switch("enable", 160, 170, "ok"), deny(171, 260)),
        (delete(30), deny(50, 60, door="a"), allow(70, 155, door="b")),  # each has heard of another moment
    ],
)
def test_what_can_happen_within_a_bound_is_no_finding(calls: tuple[Call, ...]) -> None:
    assert bounded(*calls) == set()


@pytest.mark.parametrize(
    ("rule", "calls"),
    [
        ("R1", (allow(1, 9),)),
        ("R2", (delete(30, 40, "ok"), allow(141, 142))),
        ("R2", (delete(30, 40, "ok"), allow(41, 42, door="serve"))),  # the door that answered it
        ("R2", (switch("disable", 30, 40, "ok"), allow(141, 142))),
        ("R3", (delete(30), deny(150, 160), allow(161, 162))),  # one door does not go back
        ("R3", (delete(30), deny(150, 160, door="a"), allow(261, 262, door="b"))),
        ("R4", (deny(121, 129),)),
        ("R4", (deny(21, 29, door="serve"),)),
        ("R5", (switch("disable", 1, 5, "ok"),)),
    ],
)
def test_what_cannot_happen_within_a_bound_is_found(rule: str, calls: tuple[Call, ...]) -> None:
    assert bounded(*calls) == {rule}


def test_two_tokens_of_one_person_may_be_seen_at_different_moments() -> None:
    other = replace(CREATED, subject="u")
    disabled = switch("disable", 130, 200)
    assert bounded(other, disabled, deny(140, 141), replace(allow(150, 151), subject="u", told="u")) == set()


def test_a_creation_that_comes_after_the_deletion_has_no_effect() -> None:
    late = replace(CREATED, begun=10, ended=NEVER, outcome="unknown")
    calls = [late, delete(30, 40, "ok")]
    assert {finding.rule for finding in check([*calls, allow(50, 60)])} == {"R2"}
    assert check([*calls, allow(20, 29), deny(50, 60)]) == []
    assert check([*calls, deny(32, 33, reason="unknown"), allow(34, 35)]) == []  # it came while the deletion was sent
    gone = Final(1000, {}, {}, ())
    assert check(calls, gone) == []
    assert {finding.rule for finding in check(calls, stored())} == {"R6"}


def test_two_switches_must_have_been_on_at_one_moment() -> None:
    """The feature was off until 50 and the person from 45 on: neither refuses alone, both do together."""
    calls = [
        replace(CREATED, begun=-20, ended=-10),
        switch("off", 0, 1, "ok", FEATURE),
        switch("on", 50, 60, "ok", FEATURE),
        switch("disable", 40, 45, "ok"),
    ]
    assert {finding.rule for finding in check([*calls, allow(30, 70)])} == {"R2"}
    assert check([*calls[:-1], switch("disable", 40, 55, "ok"), allow(30, 70)]) == []


def test_an_end_is_an_end_give_or_take_a_second() -> None:
    short = replace(CREATED, expires=10 * SECOND)

    def of(call: Call) -> set[str]:
        return {finding.rule for finding in check([short, call])}

    assert of(allow(10.5 * SECOND, 12 * SECOND)) == set()
    assert of(allow(11.5 * SECOND, 12 * SECOND)) == {"R7"}
    assert of(deny(8 * SECOND, 9.5 * SECOND)) == set()
    assert of(deny(8 * SECOND, 8.5 * SECOND)) == {"R4"}
    assert of(deny(12 * SECOND, 13 * SECOND, reason="expired")) == set()
    assert of(deny(7 * SECOND, 8 * SECOND, reason="expired")) == {"R4"}


def test_a_name_in_an_answer_is_one_of_its_time() -> None:
    old = Call("rename", "p", "serve", 1, 2, "ok", name="old")
    new = Call("rename", "p", "serve", 30, 40, "ok", name="new")
    assert rules(old, new, allow(41, 50, name="old")) == {"R8"}
    assert rules(old, new, allow(21, 29, name="new")) == {"R8"}
    unknown = replace(new, outcome="unknown")
    assert rules(old, unknown, allow(41, 50, name="new"), allow(51, 60, name="old")) == {"R3"}


def test_what_nobody_was_told_of_may_come_late_until_a_later_change_was_acknowledged() -> None:
    """A commit that waits for its standby is seen by nobody, and holds up every change after it."""
    old = Call("rename", "p", "serve", 1, 2, "ok", name="old")
    unknown = Call("rename", "p", "serve", 30, 40, name="new")
    seen = (allow(41, 45, name="old"), allow(60, 70, name="new"))
    assert rules(old, unknown, *seen) == set()
    assert rules(old, unknown, *seen, replace(CREATED, subject="u", begun=41, ended=50)) == set()
    later = replace(CREATED, subject="u", begun=41, ended=44)
    assert rules(old, unknown, later, allow(45, 50, name="old"), allow(60, 70, name="new")) == {"R3"}
    off, on = switch("disable", 25, 28, "ok"), switch("enable", 30, 40)
    assert rules(off, on, deny(41, 45), allow(60, 70)) == set()
    assert rules(off, on, later, deny(45, 50), allow(60, 70)) == {"R3"}


def test_what_was_acknowledged_comes_after_what_nobody_was_told_of() -> None:
    on, off = switch("enable", 30, 40), switch("disable", 50, 60, "ok")
    assert rules(on, off, allow(61, 70)) == {"R2"}
    assert rules(switch("disable", 30, 40), switch("enable", 50, 60, "ok"), deny(61, 70)) == {"R4"}
    named, again = (
        Call("rename", "p", "serve", 30, 40, name="new"),
        Call("rename", "p", "serve", 50, 60, "ok", name="x"),
    )
    assert rules(named, again, allow(61, 70, name="new")) == {"R8"}
    assert rules(on, off, final=stored(live=True)) == {"R6"}


def stored(*, alive: bool = True, live: bool = True, events: tuple[tuple[str, str, str], ...] | None = None) -> Final:
    made = (("token.created", "t", "p"),) + (() if alive else (("token.deleted", "t", "p"),))
    return Final(1000, {"t": alive}, {"p": live}, made if events is None else events)


@pytest.mark.parametrize("alive", [True, False])
def test_the_database_holds_what_was_acknowledged(alive: bool) -> None:
    assert rules(delete(30, 40), final=stored(alive=alive)) == set()
    assert rules(delete(30, 40, "ok"), final=stored(alive=alive)) == ({"R6"} if alive else set())
    assert rules(final=stored(alive=alive)) == (set() if alive else {"R6"})
    assert rules(final=Final(1000, {}, {}, ())) == {"R6"}
    # What a door said before is held against it too.
    assert rules(delete(30, 40), deny(41, 50), final=stored(alive=alive)) == ({"R6"} if alive else set())


def test_each_change_has_one_record() -> None:
    made, off, on = ("token.created", "t", "p"), ("person.disabled", "p", "p"), ("person.enabled", "p", "p")
    disabled, enabled = switch("disable", 30, 40, "ok"), switch("enable", 50, 60, "ok")
    assert rules(disabled, enabled, final=stored(events=(made, off, on))) == set()
    assert rules(disabled, enabled, final=stored(events=(made,))) == {"R12"}
    assert rules(disabled, enabled, final=stored(events=(made, off, off, on))) == {"R12"}
    assert rules(final=stored(events=())) == {"R12"}
    assert rules(final=stored(events=(made, made))) == {"R12"}
    assert rules(switch("disable", 30, 40), final=stored(events=(made, off), live=False)) == set()
    assert rules(switch("disable", 30, 40), final=stored(events=(made,))) == set()


def test_the_order_of_the_records_is_the_order_of_what_was_done() -> None:
    """A check outside of the transaction: the creation overlaps the disabling, and committed after it."""
    calls = (switch("disable", 11, 19, "ok"),)
    off, made = ("person.disabled", "p", "p"), ("token.created", "t", "p")
    assert rules(*calls, final=stored(live=False, events=(made, off))) == set()
    assert rules(*calls, final=stored(live=False, events=(off, made))) == {"R5"}


def test_a_token_that_nobody_asked_for_is_found() -> None:
    extra = Final(1000, {"t": True, "x": True}, {}, (("token.created", "t", "p"), ("token.created", "x", "p")))
    assert rules(final=extra) == {"R12"}
    assert rules(final=replace(extra, strangers=frozenset({"x"}))) == set()
    assert rules(Call("create", None, "serve", 30, owner="p"), final=extra) == set()


def test_a_death_leaves_calls_whose_outcome_is_unknown(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.jsonl")
    recorder.end(recorder.begin("delete", "t", door="serve"), "ok")
    recorder.begin("delete", "u", door="serve")
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write('{"life": "x", "at": 5, "ca')
    again = Recorder(tmp_path / "a.jsonl")  # the next life of the same client counts from one again
    again.end(again.begin("verify", "t", door="beside"), "deny", reason="deleted")
    first, second, third = read_history(tmp_path)
    assert (first.op, first.subject, first.outcome) == ("delete", "t", "ok")
    assert first.begun <= first.ended <= second.begun
    assert (second.subject, second.outcome, second.ended) == ("u", "unknown", NEVER)
    assert (third.door, third.outcome, third.reason) == ("beside", "deny", "deleted")


def test_a_run_that_tested_little_says_so() -> None:
    enough = [CREATED, delete(30, 40, "ok"), allow(35, 41), deny(41, 50), deny(42, 60, door="serve")]
    assert measure(enough).lacking(Least(kills=1, soon=2, overlaps=1, doors=2)) == []
    assert len(measure(enough[:2]).lacking(Least(kills=1, soon=2, overlaps=1, doors=2))) == 4
    late = [CREATED, delete(30, 40, "ok"), deny(SECOND, SECOND + 1)]
    assert (measure(late).kills, measure(late).soon, measure(late).overlaps) == (1, 0, 0)
    assert measure([*enough, allow(70, 80)]).latest == 30
    assert len(measure(enough).lacking(Least(kills=1, soon=1, overlaps=1, doors=1, latest=30))) == 1
    unknown = Call("verify", "t", "beside", 50, 60)
    assert measure([*enough, unknown]).unanswered == 1 / 4


def test_a_finding_speaks() -> None:
    assert str(Finding("R6", "is lost", "t")) == "R6 is lost: t"


def test_many_calls_of_one_person_are_checked_in_seconds() -> None:
    calls = [
        switch("disable" if number % 2 else "enable", 100 * number, 100 * number + 5, "ok")
        for number in range(1, 5_000)
    ]
    state = [allow(100 * number + 10, 100 * number + 20) for number in range(2, 5_000, 2)]
    state += [deny(100 * number + 10, 100 * number + 20) for number in range(1, 5_000, 2)]
    assert check([CREATED, *calls, *state]) == []
