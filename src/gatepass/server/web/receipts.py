"""How far a deletion has come among the verifiers elsewhere, on the page that says that it was made."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from gatepass.server.web.pages import Visit

_REVISION = re.compile(r"\A[0-9]{1,15}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Heard:
    """Of the instances that may answer from memory, how many have confirmed."""

    confirmed: int
    of: int
    bound: int
    again: str
    """Where to look again; empty when all have confirmed."""


def change_of(visit: Visit) -> dict[str, str]:
    """Return the query by which the next page tells how far what was just changed has come; empty for nobody."""
    with visit.deps.store.read() as tx:
        head, settings = tx.changes.head(), tx.settings.load()
    visit.context.roll.look_now(doubt=settings.longest_lease)
    return {"change": str(head)} if visit.context.followers.count() else {}


def heard_of(visit: Visit) -> Heard | None:
    """Return how far the change that the query names has come; None if it names none."""
    revision = visit.query.get("change", "")
    if not _REVISION.match(revision):
        return None
    with visit.deps.store.read() as tx:
        epoch, settings = tx.changes.epoch(), tx.settings.load()
    bound = settings.bound_seconds
    visit.context.roll.look_now(doubt=settings.longest_lease)
    confirmed, of = visit.context.followers.heard_of(epoch, int(revision))
    again = f"{visit.request.url.path}?{urlencode(visit.query)}" if confirmed < of else ""
    return Heard(confirmed, of, bound, again)
