"""One run of one host under load and deaths, and what the oracle says of it."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from faults.host import HTTP_DOORS, Host
from faults.launch import NONE
from faults.load import ENABLED, Load, Rates, ask_about
from faults.oracle import FEATURE, Call, Final, Finding, check
from faults.recorder import now, read_history
from faults.vacuity import Measures, measure
from gatepass.model.token import TokenKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is made of. Times in seconds; 0 for what does not happen."""

    seconds: float
    seed: int = 1
    mutant: str = NONE
    doors: tuple[str, ...] = tuple(HTTP_DOORS)
    askers: int = 2
    people: int = 3
    rates: Rates = field(default_factory=Rates)
    kill_servers: float = 0
    kill_askers: float = 0
    points: tuple[str, ...] = ()
    """Where the server dies, besides anywhere."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    findings: list[Finding]
    measures: Measures
    calls: Sequence[Call]
    deaths: int
    """Of servers, embedded verifiers and commands."""
    named: int
    """Of these, at a named point."""
    processes: int
    """At once, with the commands that come and go."""
    missing: list[str]
    """Doors that this version does not have."""
    leaks: list[str]
    """Files of the recording that hold the value of a token, which none may."""


def run(folder: Path, plan: Plan) -> Outcome:
    """Run the plan in an empty folder and judge what was recorded."""
    host = Host(folder, doors=plan.doors, mutant=plan.mutant, askers=plan.askers, points=plan.points)
    try:
        host.start()
        processes = len(host.http) + sum(len(door.workers()) for door in host.http) + len(host.askers)
        load = Load(host, plan.rates, plan.seed)
        load.prepare(plan.people)
        _disturb(host, load, plan)
        final = _finish(host, load, restart=plan.kill_servers > 0)
    finally:
        host.close()
    calls = read_history(host.history)
    commands = bool(plan.rates.command) + bool(plan.rates.feature)
    return Outcome(
        check(calls, final),
        measure(calls),
        calls,
        sum(door.deaths for door in [*host.http, *host.askers]) + host.commands_killed,
        host.named,
        processes + commands,
        host.missing,
        leaks(host.history),
    )


def leaks(history: Path) -> list[str]:
    """Return the files of a recording that hold the value of a token, which none may."""
    return [path.name for path in history.iterdir() if f"{TokenKind.PERSONAL}_" in path.read_text()]


def _disturb(host: Host, load: Load, plan: Plan) -> None:
    chance = random.Random(plan.seed)
    threads = load.start()
    for work, every in ((host.kill_servers, plan.kill_servers), (host.kill_askers, plan.kill_askers)):
        if every:
            threads.append(threading.Thread(target=work, args=(random.Random(chance.random()), every)))
            threads[-1].start()
    try:
        time.sleep(plan.seconds)
    finally:
        host.stop.set()
        for thread in threads:
            thread.join()


def _finish(host: Host, load: Load, *, restart: bool) -> Final:
    """Start servers anew, ask every door about every token, and read what is stored."""
    for door in host.http if restart else ():
        door.kill()
        door.start()
    recorder = load.recorder("final")
    load.change(recorder, "on", FEATURE, ("PATCH", "/v4/settings", {ENABLED: True}))
    for number, asker in enumerate(host.askers):
        for token in host.known[-1000:]:
            asker.tell(id=token.id, value=token.value)
        asker.finish(host.folder / f"done-{number}")
    for door in host.http:
        for token in host.known[-1000:]:
            ask_about(recorder, token, door)
        door.server.stop()
    return _read(host.data / "gatepass.db", frozenset(load.strangers))


def _read(path: Path, strangers: frozenset[str]) -> Final:
    """Read a file of SQLite."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        if (damage := db.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            raise RuntimeError(f"the database is damaged: {damage}")
        return final_of(lambda query: db.execute(query).fetchall(), strangers)


def final_of(ask: Callable[[str], list[tuple[Any, ...]]], strangers: frozenset[str]) -> Final:
    """Read a database as it is, without the product."""

    def text(value: bytes | None) -> str:
        return str(UUID(bytes=value)) if value else ""

    tokens = ask("SELECT id, revoked_at IS NULL FROM tokens")
    people = ask("SELECT id, disabled_at IS NULL AND deleted_at IS NULL FROM users")
    events = ask("SELECT action, subject_id, owner_id FROM events ORDER BY sequence")
    return Final(
        now(),
        {text(token): bool(alive) for token, alive in tokens},
        {text(person): bool(live) for person, live in people},
        [(action, text(subject), text(owner)) for action, subject, owner in events],
        strangers,
    )
