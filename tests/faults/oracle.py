"""Says what in a history of calls cannot have happened. Pure: records in, findings out, O(n log n).

Every token, every person and the whole feature has a state that is set and overwritten. From the calls
that set it follows when it may have had which value; a verdict is right if some moment between its
question and its answer explains it. Rules are named as in `docs/explanation/verification.md`.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

ALWAYS, NEVER = float("-inf"), float("inf")
SECOND = 1_000_000_000
EXPIRY_SLACK = SECOND
"""How far the clock that ends a token and the one that records may be apart."""
SWITCHES = {"disable": False, "enable": True, "remove": False, "off": False, "on": True}
FEATURE = "feature"
REASONS = {"deleted": "token", "unknown": "token", "malformed": "token", "feature-off": "feature", "expired": "time"}
REASONS |= {"owner-disabled": "owner", "owner-deleted": "owner"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a client, from before it was sent until after it was answered, in ns of one clock.

    `op` is create, delete, verify, rename, or one of SWITCHES. `outcome` is ok, fail (refused, no
    effect) or unknown (an effect after `begun`, which all see once a later change has been acknowledged, or
    none); for verify it is allow, deny or unknown, and unknown says nothing.
    """

    op: str
    subject: str | None
    """A token for create, delete and verify; a person; FEATURE. None for a token whose id was never told."""
    door: str
    begun: float
    ended: float = NEVER
    outcome: str = "unknown"
    owner: str | None = None
    """Who the token was made for; for verify, who the answer says it acts for."""
    name: str | None = None
    """The owner's name in an answer, or the new one of a rename."""
    told: str | None = None
    """The id of the token in an answer, where the door gives it."""
    reason: str | None = None
    expires: float = NEVER


@dataclass(frozen=True, slots=True)
class Final:
    """What was stored at the end, when nothing was under way any more."""

    at: float
    tokens: Mapping[str, bool]
    """Whether it is alive, by id: not deleted. Expired ones are alive."""
    people: Mapping[str, bool]
    """Whether they are live."""
    events: Sequence[tuple[str, str, str]]
    """(action, subject, owner) of each audit record, in order."""
    strangers: frozenset[str] = frozenset()
    """Tokens and people that were there before the recording, or that it does not cover."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that cannot be."""

    rule: str
    claim: str
    subject: str | None
    call: Call | None = None

    def __str__(self) -> str:
        return f"{self.rule} {self.claim}: {self.subject} {self.call or ''}".rstrip()


@dataclass(frozen=True, slots=True)
class Set:
    """A value was set at some moment of an interval; perhaps not, unless `certain`."""

    value: Any
    begun: float
    ended: float
    certain: bool
    shown: float = NEVER
    """From when on whoever looks must see it, if it took place and nothing has come after it; for an uncertain one."""


@dataclass
class Register:
    """What a value may have been, and when. Add everything first, then ask."""

    initial: Any
    sets: list[Set] = field(default_factory=list)
    seen: list[Set] = field(default_factory=list)
    """Looks that found the value: they set nothing, but what they contradict was over by their end."""
    ends: bool = False
    """Whether what was set to False stays so: what is set later has no effect."""

    @cached_property
    def spans(self) -> dict[Any, list[tuple[float, float]]]:
        """Return for each value the disjoint times, in order, at which it may have held."""
        later, looks = _Later(each for each in self.sets if each.certain), _Later(self.seen)
        gone = min((each.ended for each in self.sets if each.certain and each.value is False), default=NEVER)
        found: dict[Any, list[tuple[float, float]]] = defaultdict(list)
        for each in [Set(self.initial, ALWAYS, ALWAYS, certain=True), *self.sets]:
            # Whatever certainly came after it and is something else had ended it at its own end.
            shown = each.ended if each.certain else each.shown
            end = min(later.other_than(each.value, each.ended), looks.other_than(each.value, shown))
            found[each.value].append((each.begun, min(end, gone) if self.ends and each.value else end))
        return {value: _joined(spans) for value, spans in found.items()}

    def within(self, value: Any, begun: float, ended: float) -> Iterator[tuple[float, float]]:
        """Yield the times of a window at which the value may have held."""
        spans = self.spans.get(value, [])
        for place in range(max(0, bisect_right(spans, (begun, NEVER)) - 1), len(spans)):
            first, last = spans[place]
            if first > ended:
                return
            if last >= begun:
                yield max(first, begun), min(last, ended)

    def may_be(self, value: Any, begun: float, ended: float) -> bool:
        """Tell whether it may have held at some moment of the window."""
        spans = self.spans.get(value, [])
        place = bisect_right(spans, (ended, NEVER)) - 1  # they are disjoint: the last that began is the one
        return place >= 0 and spans[place][1] >= begun


class _Later:
    """Sets or looks, by when they began."""

    def __init__(self, over: Iterable[Set]) -> None:
        ordered = sorted(over, key=lambda each: each.begun)
        self._begins = [each.begun for each in ordered]
        self._soonest = _soonest_ends(ordered)

    def other_than(self, value: Any, at: float) -> float:
        """Return the soonest end of those that began at an instant or later and have another value."""
        ends = self._soonest[bisect_left(self._begins, at)]
        return min((end for end, each in ends if each != value), default=NEVER)


def _soonest_ends(over: Sequence[Set]) -> list[list[tuple[float, Any]]]:
    """Return for each place in the order the soonest end from there on, and the soonest with another value."""
    found: list[list[tuple[float, Any]]] = [[]]
    for each in reversed(over):
        best = {value: at for at, value in reversed(found[-1])}
        best[each.value] = min(each.ended, best.get(each.value, NEVER))
        found.append(sorted(((at, value) for value, at in best.items()), key=lambda pair: pair[0])[:2])
    return found[::-1]


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _next_acknowledged(calls: Iterable[Call]) -> Callable[[float], float]:
    """Return what tells when the first change that began at an instant or later had been answered."""
    begun, ended = [], []
    soonest = NEVER
    for call in sorted(
        (each for each in calls if each.op != "verify" and each.outcome == "ok"), key=lambda each: -each.begun
    ):
        soonest = min(soonest, call.ended)
        begun.append(call.begun)
        ended.append(soonest)
    begun.reverse()
    ended.reverse()
    return lambda at: [*ended, NEVER][bisect_left(begun, at)]


class History:
    """The states behind a list of calls."""

    def __init__(self, calls: Sequence[Call]) -> None:
        """Read what was set."""
        self.calls = calls
        self.tokens: dict[str, Register] = defaultdict(lambda: Register(initial=False, ends=True))
        self.people: dict[str, Register] = defaultdict(lambda: Register(initial=True))
        self.names: dict[str, Register] = defaultdict(lambda: Register(initial=None))
        self.created: dict[str, Call] = {}
        self._caught_up = _next_acknowledged(calls)
        self._parts: dict[str, dict[str, Register]] = {}
        for call in calls:
            if call.op != "verify" and call.outcome != "fail" and call.subject is not None:
                self._set(call, call.subject)

    def _set(self, call: Call, subject: str) -> None:
        made = {"certain": call.outcome == "ok", "begun": call.begun, "ended": call.ended}
        if call.outcome == "unknown":
            # It may be in the journal and not in the database: then whoever writes next repeats it. Or the database has
            # it and shows it to nobody while it waits for its standby; the one writer's lock is held so long. What is
            # acknowledged later comes after it all the same.
            made["shown"] = self._caught_up(call.ended)
        if call.op in {"create", "delete"}:
            self.tokens[subject].sets.append(Set(call.op == "create", **made))
            if call.op == "create":
                self.created[subject] = call
        elif call.op == "rename":
            self.names[subject].sets.append(Set(call.name, **made))
        else:
            self.people[subject].sets.append(Set(SWITCHES[call.op], **made))

    def parts(self, call: Call) -> dict[str, Register]:
        """Return what a verdict on this token depends on, apart from the time."""
        token = call.subject or ""
        if token not in self._parts:
            made = self.created.get(token)
            found = {"token": self.tokens[token], FEATURE: self.people[FEATURE]}
            self._parts[token] = found | ({"owner": self.people[made.owner]} if made and made.owner else {})
        return self._parts[token]

    def causes(self, call: Call) -> set[str]:
        """Return what may explain a refusal."""
        made = self.created.get(call.subject or "")
        found = {name for name, part in self.parts(call).items() if part.may_be(False, call.begun, call.ended)}
        return found | ({"time"} if made and call.ended >= made.expires - EXPIRY_SLACK else set())

    def looked(self) -> "History":
        """Return the same with what the verdicts themselves prove."""
        more = History(self.calls)
        for call in self.calls:
            if call.op != "verify" or call.outcome == "unknown":
                continue
            parts = more.parts(call)
            if call.outcome == "allow":
                proven = dict.fromkeys(parts, True)
            else:
                causes = self.causes(call)
                named = REASONS.get(call.reason or "")
                proven = dict.fromkeys({named} if named else causes if len(causes) == 1 else (), False)
            for name, value in proven.items():
                if name in parts:
                    parts[name].seen.append(Set(value, call.begun, call.ended, certain=True))
            if call.name is not None and call.owner in more.names:
                more.names[call.owner].seen.append(Set(call.name, call.begun, call.ended, certain=True))
        return more


def check(calls: Sequence[Call], final: Final | None = None, *, bound: float = 0) -> list[Finding]:
    """Return what contradicts the promise: what was answered holds for every call that begins `bound` later.

    At the door that answered it holds at once. A bound of 0 ns is the promise of one host.
    """
    if not bound:
        return _check(calls, final)
    # Among all doors a verdict may be that of any moment since `bound` before its question.
    asked = [replace(call, begun=call.begun - bound) if call.op == "verify" else call for call in calls]
    was = {id(widened): call for widened, call in zip(asked, calls, strict=True)}
    found = [replace(each, call=was.get(id(each.call))) for each in _check(asked, final)]
    return found + [each for view in _views(calls, bound) for each in _check(view)]


def _views(calls: Sequence[Call], bound: float) -> Iterator[list[Call]]:
    """Yield what one door saw of one token.

    A verdict there is of its moment, nothing goes back, and what others acknowledged takes effect up to
    `bound` later. Two tokens of one person may be seen at different moments.
    """
    made: dict[str | None, list[Call]] = defaultdict(list)
    asked: dict[tuple[str, str | None], list[Call]] = defaultdict(list)
    for call in calls:
        if call.op == "verify":
            asked[call.door, call.subject].append(call)
        else:
            made[call.subject].append(call)
    for (door, token), verdicts in asked.items():
        owner = next((call.owner for call in made[token] if call.op == "create"), None)
        changes = [*made[token], *made[owner], *made[FEATURE]]
        seen = [call if call.door == door else replace(call, ended=call.ended + bound) for call in changes]
        yield seen + verdicts


def _check(calls: Sequence[Call], final: Final | None = None) -> list[Finding]:
    history = History(calls)
    found = [finding for call in calls for finding in _judged(history, call)]
    if not found:
        # Only now what verdicts prove: a wrong one would make others look wrong.
        history = history.looked()
        found = [
            Finding("R3", f"contradicts what a door said before ({finding.rule} {finding.claim})", call.subject, call)
            for call in calls
            for finding in _judged(history, call)
        ]
    return found + (list(_stored(history, final)) + list(_recorded(history, final)) if final else [])


def _judged(history: History, call: Call) -> Iterator[Finding]:
    if call.op == "verify":
        yield from _misjudged(history, call)
    elif call.op == "create" and call.outcome == "ok" and call.owner is not None:
        for part in (call.owner, FEATURE):
            if not history.people[part].may_be(True, call.begun, call.ended):
                yield Finding("R5", f"created although {part} was off", call.subject, call)


def _misjudged(history: History, call: Call) -> Iterator[Finding]:
    made = history.created.get(call.subject or "")
    if call.outcome == "allow":
        if made is None or call.ended < made.begun:
            yield Finding("R1", "accepted and never created", call.subject, call)
            return
        yield from _wrong_answer(history, call, made)
        if call.begun > made.expires + EXPIRY_SLACK:
            yield Finding("R7", "accepted after its end", call.subject, call)
        parts = history.parts(call)
        if not _all_at_once(list(parts.values()), call.begun, call.ended):
            off = [name for name, part in parts.items() if not part.may_be(True, call.begun, call.ended)]
            yield Finding("R2", f"accepted although off: {', '.join(off) or 'never all at once'}", call.subject, call)
    elif call.outcome == "deny":
        causes = history.causes(call)
        if not causes:
            yield Finding("R4", "refused and good", call.subject, call)
        elif call.reason and REASONS.get(call.reason) not in causes:
            yield Finding("R4", f"refused as {call.reason}, which it was not", call.subject, call)


def _wrong_answer(history: History, call: Call, made: Call) -> Iterator[Finding]:
    if call.owner != made.owner or call.told not in {None, call.subject}:
        yield Finding("R9", "accepted as somebody else's", call.subject, call)
    elif call.name is not None and call.owner in history.names:
        names = history.names[call.owner]
        if not names.may_be(call.name, call.begun, call.ended):
            yield Finding("R8", "answered with a name of another time", call.subject, call)


def _all_at_once(parts: Sequence[Register], begun: float, ended: float) -> bool:
    """Tell whether there may have been one moment at which all were on."""
    if not parts:
        return True
    return any(_all_at_once(parts[1:], *span) for span in parts[0].within(True, begun, ended))


def _stored(history: History, final: Final) -> Iterator[Finding]:
    for token in history.created:
        alive = final.tokens.get(token, False)
        if token not in final.tokens and history.created[token].outcome == "ok":
            yield Finding("R6", "creation was acknowledged and is lost", token)
        elif not history.tokens[token].may_be(alive, final.at, final.at):
            yield Finding("R6", f"is {'alive' if alive else 'deleted'} in the database", token)
    for person, live in final.people.items():
        if person in history.people and not history.people[person].may_be(live, final.at, final.at):
            yield Finding("R6", f"is {'live' if live else 'off'} in the database", person)


def _recorded(history: History, final: Final) -> Iterator[Finding]:
    """Hold the audit log against the rows, and against itself."""
    told = Counter((action, subject) for action, subject, _ in final.events)
    for token, alive in final.tokens.items():
        if token not in final.strangers and (told["token.created", token], told["token.deleted", token]) != (
            1,
            not alive,
        ):
            yield Finding("R12", "its records do not say what was done", token)
    unknown = sum(call.op == "create" and call.outcome == "unknown" for call in history.calls)
    if len(final.tokens.keys() - history.created.keys() - final.strangers) > unknown:
        yield Finding("R12", "there are tokens that nobody asked for", None)
    off: set[str] = set()
    for action, subject, owner in final.events:
        if action in {"person.disabled", "person.enabled"}:
            if (action == "person.disabled") == (subject in off):
                yield Finding("R12", "the records tell of the same change twice", subject)
            (off.add if action == "person.disabled" else off.discard)(subject)
        if action == "token.created" and owner in off:
            yield Finding("R5", "was created after its owner was disabled, by the order of the records", subject)
    for person, live in final.people.items():
        if person not in final.strangers and live and person in off:
            yield Finding("R12", "is live, and the records say disabled", person)
    yield from _too_few_records(history, told)


def _too_few_records(history: History, told: Counter[tuple[str, str]]) -> Iterator[Finding]:
    """Find acknowledged changes of a person without a record, where every outcome is known."""
    calls = [call for call in history.calls if call.op in {"disable", "enable"}]
    unclear = {call.subject for call in calls if call.outcome == "unknown"}
    done = Counter((f"person.{call.op}d", call.subject) for call in calls if call.outcome == "ok")
    for (action, person), count in done.items():
        if person is not None and person not in unclear and told[action, person] != count:
            yield Finding("R12", f"{count} times {action}, and {told[action, person]} records", person)
