"""Page: Audit log, for administrators."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from starlette.responses import Response

from gatepass.interfaces import Page as ListPage
from gatepass.model.actor import Credential
from gatepass.model.event import EventRecord
from gatepass.server.parsing import parse_choice
from gatepass.server.web.pages import Page, Visit, show
from gatepass.server.web.paging import Paging, paged
from gatepass.server.web.words import short_id
from gatepass.services.list_events import list_events
from gatepass.services.list_users import list_users

AUDIT = "/admin/audit"
_KINDS: Mapping[str, Sequence[str] | None] = {
    "all": None,
    "tokens": ("token.", "tokens."),
    "sign-in": ("session.", "sign-in.", "password."),
    "people": ("person.",),
    "settings": ("settings.", "pepper."),
}
KIND_WORDS = {
    "all": "All events",
    "tokens": "Tokens",
    "sign-in": "Sign-in and passwords",
    "people": "People",
    "settings": "Settings and keys",
}
TITLES = {
    "token.created": "Token generated",
    "token.deleted": "Token deleted",
    "tokens.pruned": "Old token records removed",
    "person.created": "Person added",
    "person.changed": "Person changed",
    "person.disabled": "Person disabled",
    "person.enabled": "Person enabled",
    "person.deleted": "Person deleted",
    "password.changed": "Password set",
    "password.link-issued": "One-time link made",
    "session.started": "Signed in",
    "session.proven": "Password typed again",
    "session.ended": "Session ended",
    "sign-in.refused": "Sign-in refused",
    "settings.changed": "Token policy changed",
    "pepper.rotated": "Key rotated",
}
_REFUSALS = frozenset({"sign-in.refused"})
_NOBODY = {Credential.CONSOLE: "Server console", Credential.SYSTEM: "Gatepass itself"}
_WITH = {Credential.PASSWORD: "Password", Credential.SESSION: "Browser session", **_NOBODY}


@dataclass(frozen=True, slots=True)
class Line:
    """An audit record in words."""

    record: EventRecord
    title: str
    about: str
    who: str
    credential: str
    is_refusal: bool


def show_audit(visit: Visit) -> Response:
    """List audit records, newest first, by day."""
    actions = parse_choice(visit.query, "kind", _KINDS, default="all")
    text = visit.query.get("q", "").strip()[:300]
    about, unknown = _subject(visit, text)

    def load(page: ListPage) -> Sequence[EventRecord]:
        if unknown:
            return []
        return list_events(visit.deps, visit.actor, page=page, actions=actions, about=about)

    list_events(visit.deps, visit.actor, page=ListPage(limit=1))  # for administrators only
    found: Paging[EventRecord] = paged(visit.query, load, key=lambda each: each.sequence, parse=int, first=0)
    values = {
        "days": list(_days(found.rows)),
        "paging": found,
        "kind": visit.query.get("kind", "all"),
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


def _days(records: Sequence[EventRecord]) -> Iterator[tuple[str, list[Line]]]:
    for day, group in groupby(records, key=lambda record: record.at.date()):
        yield f"{day:%A}, {day.day} {day:%B %Y}", [_line(record) for record in group]


def _line(record: EventRecord) -> Line:
    token = record.credential is Credential.TOKEN and record.credential_id
    return Line(
        record=record,
        title=TITLES.get(record.action, record.action),
        about=_about(record),
        who=record.actor_name or _NOBODY.get(record.credential, "Somebody not signed in"),
        credential=f"Token {short_id(str(record.credential_id))}" if token else _WITH.get(record.credential, ""),
        is_refusal=record.action in _REFUSALS,
    )


def _about(record: EventRecord) -> str:
    """Say in one line what a record is about."""
    details = record.details
    parts: list[str] = []
    if record.owner_id is not None and record.owner_id != record.actor_id and record.owner_name:
        parts.append(record.owner_name)
    if record.action.startswith("token.") and record.subject_id:
        parts.append(str(details.get("description") or "no description"))
        parts.append(short_id(str(record.subject_id)))
    if "expires_at" in details:
        parts.append(f"expires {str(details['expires_at'])[:10]}")
    elif record.action == "token.created":
        parts.append("never expires")
    if "count" in details:
        parts.append(f"{details['count']} records")
    if "pepper" in details:
        parts.append(f"pepper {details['pepper']}")
    if details.get("is_admin"):
        parts.append("administrator")
    if details.get("by") in {"link", "console"}:
        parts.append({"link": "with a one-time link", "console": "on the server's console"}[details["by"]])
    parts += [f"{name}: {_word(old)} → {_word(new)}" for name, (old, new) in details.get("changes", {}).items()]
    return " · ".join(parts)


def _word(value: Any) -> str:
    if value is None:
        return "none"
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


PAGES = (Page(path=AUDIT, get=show_audit),)
