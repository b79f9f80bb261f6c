"""Page: Verifiers, for administrators: which services verify tokens elsewhere, how far each process is, until when."""

from dataclasses import dataclass
from uuid import UUID

from starlette.responses import Response

from gatepass.server.followers import Followers, Instance
from gatepass.server.web.pages import Page, Visit, show
from gatepass.services.list_verifiers import list_verifiers

VERIFIERS = "/admin/verifiers"


@dataclass(frozen=True, slots=True)
class Row:
    """An instance, in words."""

    instance: str
    is_connected: bool
    is_behind: bool
    state: str
    lag: str
    """How long the last change took there; empty before the first."""
    lease: str


def show_verifiers(visit: Visit) -> Response:
    """Show the registered verifiers with their instances."""
    found = list_verifiers(visit.deps, visit.actor)
    with visit.deps.store.read() as tx:
        head, settings = tx.changes.head(), tx.settings.load()
    followers = visit.context.followers
    rows: dict[UUID, list[Row]] = {each.id: [] for each in found}
    for each in followers.list():
        if each.verifier_id in rows:
            rows[each.verifier_id].append(_row(each, followers, head))
    values = {"verifiers": [(each, rows[each.id]) for each in found], "bound": settings.bound_seconds}
    return show(visit, "verifiers.html", values)


def _row(instance: Instance, followers: Followers, head: int) -> Row:
    lease, behind = followers.remaining(instance), max(0, head - instance.acknowledged)
    state = f"{behind} change{'' if behind == 1 else 's'} behind" if behind else "Up to date"
    return Row(
        instance.instance,
        is_connected=lease > 0,
        is_behind=lease > 0 and behind > 0,
        state=state if lease else "Gone",
        lag="" if instance.lag is None else _duration(instance.lag),
        lease=f"{lease:.1f} of {instance.bound:g} s" if lease else "Over",
    )


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


PAGES = (Page(path=VERIFIERS, get=show_verifiers),)
