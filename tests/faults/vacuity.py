"""Whether a history tested anything: a run in which nothing raced finds nothing, and proves nothing."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from faults.oracle import FEATURE, SECOND, SWITCHES, Call

SOON = SECOND // 10


@dataclass(frozen=True, slots=True)
class Least:
    """What a run must have had."""

    kills: int
    soon: int
    overlaps: int
    doors: int
    unanswered: float = 0.5
    latest: float = 0


@dataclass(frozen=True, slots=True)
class Measures:
    """What a run had."""

    kills: int
    """Acknowledged deletions, disables, removals and switching off."""
    soon: int
    """Verdicts on what was ended that were asked for within 100 ms after the acknowledgement."""
    overlaps: int
    """Verdicts asked for before an acknowledgement and given after it was asked for."""
    verdicts: int
    doors: frozenset[str]
    unanswered: float
    """Share of verdicts that did not come, or were a 503."""
    latest: float
    """The longest time, in ns, from an acknowledged deletion to a question that was still answered by accepting."""

    def lacking(self, least: Least) -> list[str]:
        """Return what was too little."""
        had = {"kills": self.kills, "soon": self.soon, "overlaps": self.overlaps, "doors": len(self.doors)}
        few = [f"only {count} {name}" for name, count in had.items() if count < getattr(least, name)]
        few += [f"nothing accepted later than {self.latest / SECOND:.2f} s"] if self.latest < least.latest else []
        return few + ([f"{self.unanswered:.0%} unanswered"] if self.unanswered > least.unanswered else [])


def measure(calls: Sequence[Call]) -> Measures:
    """Count. A door that died and came again is the same door."""
    owners = {call.subject: call.owner for call in calls if call.op == "create"}
    asked: dict[str | None, list[Call]] = defaultdict(list)
    verdicts = [call for call in calls if call.op == "verify"]
    for call in verdicts:
        for subject in (call.subject, owners.get(call.subject), FEATURE):
            asked[subject].append(call)
    begins = {subject: [call.begun for call in of] for subject, of in asked.items()}
    ends = [call for call in calls if call.outcome == "ok" and (call.op == "delete" or SWITCHES.get(call.op) is False)]
    soon = overlaps = 0
    for end in ends:
        of = begins.get(end.subject, [])
        answered = bisect_left(of, end.ended)
        soon += bisect_left(of, end.ended + SOON) - answered
        near = asked[end.subject][bisect_left(of, end.begun - SECOND) : answered]
        overlaps += sum(call.ended >= end.begun for call in near)
    unknown = sum(call.outcome == "unknown" for call in verdicts)
    return Measures(
        kills=len(ends),
        soon=soon,
        overlaps=overlaps,
        verdicts=len(verdicts),
        doors=frozenset(call.door.partition(".")[0] for call in verdicts if call.outcome != "unknown"),
        unanswered=unknown / len(verdicts) if verdicts else 1.0,
        latest=_latest(calls),
    )


def _latest(calls: Sequence[Call]) -> float:
    gone = {call.subject: call.ended for call in calls if call.op == "delete" and call.outcome == "ok"}
    accepted = (call for call in calls if call.outcome == "allow" and call.subject in gone)
    return max((0.0, *(call.begun - gone[call.subject] for call in accepted)))
