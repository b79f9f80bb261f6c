"""Page: Audit log, for administrators."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from starlette.responses import Response

from gatepass.interfaces import Page as ListPage
from gatepass.model.actor import Credential
from gatepass.model.event import EventRecord
from gatepass.model.identity import Refusal
from gatepass.model.journal import Replayed
from gatepass.model.settings import NO_MAXIMUM
from gatepass.server.web.pages import Page, Visit, show
from gatepass.server.web.paging import Paging, chosen, paged
from gatepass.server.web.words import rights_parts, short_date
from gatepass.services.list_events import list_events
from gatepass.services.list_users import list_users

AUDIT = "/admin/audit"
_KINDS: Mapping[str, Sequence[str] | None] = {
    "all": None,
    "tokens": ("token.", "tokens."),
    "sign-in": ("session.", "sign-in.", "password."),
    "people": ("person.",),
    "verifiers": ("verifier.",),
    "settings": ("settings.", "pepper."),
    "restores": ("database.", "journal.", "restore."),
}
KIND_WORDS = {
    "all": "All events",
    "tokens": "Tokens",
    "sign-in": "Sign-in and passwords",
    "people": "People",
    "verifiers": "Registered verifiers",
    "settings": "Settings and keys",
    "restores": "Restores",
}
TITLES = {
    "token.created": "Token generated",
    "token.deleted": "Token deleted",
    "tokens.pruned": "Old token records removed",
    "person.created": "Person added",
    "person.changed": "Person changed",
    "person.disabled": "Person disabled",
    "person.enabled": "Person enabled",
    "person.moved": "Sign-in moved to a provider",
    "person.deleted": "Person deleted",
    "password.changed": "Password set",
    "password.link-issued": "One-time link made",
    "session.started": "Signed in",
    "session.proven": "Password typed again",
    "session.ended": "Session ended",
    "sign-in.refused": "Sign-in refused",
    "settings.changed": "Token policy changed",
    "pepper.rotated": "Key rotated",
    "verifier.added": "Verifier registered",
    "verifier.removed": "Verifier removed",
    "journal.replayed": "Revocation journal replayed",
    "database.restored": "Backup put in place",
    "restore.accepted": "Restore accepted without a journal",
}
_REFUSALS = frozenset({"sign-in.refused"})
_REASONS: Mapping[str, str] = {
    Refusal.AMBIGUOUS: "the name stands for several accounts",
    Refusal.WRONG_PASSWORD: "wrong password",
    Refusal.DISABLED: "disabled at the provider",
    Refusal.LOCKED: "locked at the provider",
    Refusal.EXPIRED: "the account has expired",
    Refusal.PASSWORD_EXPIRED: "the password has expired",
    Refusal.MUST_CHANGE: "the password must be changed first",
    Refusal.NOT_NOW: "not at this time, or not from here",
    Refusal.INVALID: "what the provider sent cannot be used",
    Refusal.REPLAYED: "used before",
    Refusal.LOST_GROUP: "in no group that may sign in",
    Refusal.NOT_ADDED: "not added before",
    Refusal.NAME_TAKEN: "somebody else has that name here",
    Refusal.HERE_ALREADY: "that person has an account here already",
    Refusal.DISABLED_HERE: "disabled here",
    Refusal.GONE: "gone from the directory",
    Refusal.DEACTIVATED: "deactivated in the directory",
    Refusal.LOCAL_OFF: "sign-in with a password here is off",
    Refusal.UNREACHABLE: "the directory was out of reach for too long",
}
_NOBODY = {Credential.CONSOLE: "Server console", Credential.SYSTEM: "Gatepass itself"}
_WITH = {
    Credential.PASSWORD: "Password",
    Credential.SESSION: "Browser session",
    Credential.PROVIDER: "Identity provider",
    Credential.VERIFIER: "Registered verifier",
    **_NOBODY,
}


def _days_long(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _seconds_long(count: int) -> str:
    return f"{count} second{'' if count == 1 else 's'}"


_CHANGES: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "apiAccessTokens.enabled": ("Access tokens", lambda value: "accepted" if value else "switched off"),
    "apiAccessTokens.usersMayGenerate": (
        "Who may generate",
        lambda value: "everyone" if value else "administrators only",
    ),
    "apiAccessTokens.maximumLifetimeDays": (
        "Longest lifetime",
        lambda value: "no maximum" if value == NO_MAXIMUM else _days_long(value),
    ),
    "tokens.retentionDays": ("Records are kept", _days_long),
    "verifiers.boundSeconds": ("Bound of verifiers", _seconds_long),
    "verifiers.graceSeconds": ("Grace of verifiers", _seconds_long),
    "isAdmin": ("Role", lambda value: "administrator" if value else "person"),
    "mayGenerate": (
        "May generate",
        lambda value: "as the policy says" if value is None else "yes" if value else "no",
    ),
    "name": ("Name", lambda value: value or "none"),
    "email": ("E-mail address", str),
}
"""Names and values that change, as the pages say them."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of what a record is about; an id is set as code, with the whole of it on hover."""

    words: str
    whole_id: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An audit record in words."""

    record: EventRecord
    title: str
    about: Sequence[Part]
    who: str
    credential: Part
    is_refusal: bool


def show_audit(visit: Visit) -> Response:
    """List audit records, newest first, by day."""
    kind = chosen(visit.query, "kind", _KINDS)
    text = visit.query.get("q", "").strip()[:300]
    about, unknown = _subject(visit, text)

    def load(page: ListPage) -> Sequence[EventRecord]:
        if unknown:
            return []
        return list_events(visit.deps, visit.actor, page=page, actions=_KINDS[kind], about=about)

    list_events(visit.deps, visit.actor, page=ListPage(limit=1))  # for administrators only
    kept = {"kind": kind if kind != "all" else "", "q": text}
    found: Paging[EventRecord] = paged(visit.query, load, key=lambda each: each.sequence, parse=int, first=0, kept=kept)
    values = {
        "days": list(_days(found.rows, visit.now.date())),
        "paging": found,
        "kind": kind,
        "kinds": KIND_WORDS,
        "q": text,
        "unknown": unknown,
    }
    return show(visit, "audit.html", values)


def _subject(visit: Visit, text: str) -> tuple[UUID | None, bool]:
    """Return the id of what was searched for, and whether it is nothing known."""
    if not text:
        return None, False
    try:
        return UUID(text), False
    except ValueError:
        people = list_users(visit.deps, visit.actor, page=ListPage(limit=1), prefix=text)
        return (people[0].id, False) if people else (None, True)


def _days(records: Sequence[EventRecord], today: date) -> Iterator[tuple[str, list[Line]]]:
    for day, group in groupby(records, key=lambda record: record.at.date()):
        name = {0: "Today", 1: "Yesterday"}.get((today - day).days, f"{day:%A}")
        yield f"{name}, {short_date(day)}", [_line(record) for record in group]


def _line(record: EventRecord) -> Line:
    by_token = record.credential is Credential.TOKEN and record.credential_id
    return Line(
        record=record,
        title=TITLES.get(record.action, record.action),
        about=list(_about(record)),
        who=record.actor_name or _NOBODY.get(record.credential, "Somebody not signed in"),
        credential=Part("Token", str(record.credential_id)) if by_token else Part(_WITH.get(record.credential, "")),
        is_refusal=record.action in _REFUSALS,
    )


def _name_of(record: EventRecord) -> str:
    """Return what people call the token or verifier that a record is about, nothing for other subjects."""
    if record.action.startswith("token."):
        return str(record.details.get("description") or "no description")
    return str(record.details["name"]) if record.action.startswith("verifier.") else ""


def _about(record: EventRecord) -> Iterator[Part]:
    """Say what a record is about, piece by piece."""
    details = record.details
    if record.owner_id is not None and record.owner_id != record.actor_id and record.owner_name:
        yield Part(record.owner_name)
    name = _name_of(record)
    if name and record.subject_id:
        yield Part(name)
        yield Part("", str(record.subject_id))
    if record.action == "token.created":
        yield from _made(details)
    if "count" in details:
        yield Part(f"{details['count']} records")
    if "pepper" in details:
        yield Part(f"pepper {details['pepper']}")
    yield from map(Part, _restored(record))
    yield from map(Part, _provided(record))
    if details.get("is_admin"):
        yield Part("administrator")
    if details.get("by") in {"link", "console"}:
        yield Part({"link": "with a one-time link", "console": "on the server's console"}[details["by"]])
    for name, (old, new) in details.get("changes", {}).items():
        title, words = _CHANGES.get(name, (name, str))
        yield Part(f"{title}: {words(old)} → {words(new)}")


def _provided(record: EventRecord) -> Iterator[str]:
    """Say what an identity provider had to do with it."""
    details = record.details
    if details.get("provider"):
        yield f"at {details['provider']}"
    if record.action in {"sign-in.refused", "person.moved"} and details.get("name"):
        yield details["name"]
    if details.get("reason") in _REASONS:
        yield _REASONS[details["reason"]]


def _restored(record: EventRecord) -> Iterator[str]:
    """Say what came of a restore."""
    if record.action == "journal.replayed":
        yield from Replayed(**{each.name: record.details[each.name] for each in fields(Replayed)}).words()
    if record.action == "restore.accepted":
        yield f"older than {short_date(datetime.fromisoformat(record.details['before']))}"


def _made(details: Mapping[str, Any]) -> Iterator[Part]:
    """Say what a token was made with. Records from before tokens had rights name none: full access."""
    end = details.get("expires_at")
    yield Part(f"expires {short_date(datetime.fromisoformat(end))}" if end else "never expires")
    yield from map(Part, rights_parts(*(details.get(name) for name in ("scopes", "allowed_networks", "audience"))))


PAGES = (Page(path=AUDIT, get=show_audit),)
