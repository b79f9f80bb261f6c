"""Tell how long a lease can last that an earlier server has given."""

from datetime import datetime, timedelta

from gatepass.errors import Unavailable
from gatepass.interfaces import Page
from gatepass.model.event import SettingsChanged
from gatepass.model.settings import ATTRIBUTES, MOST_BOUND_SECONDS, MOST_GRACE_SECONDS
from gatepass.services.deps import Deps

_MOST_CHANGES = 1000


def longest_lease(deps: Deps) -> float:
    """Return for how many seconds from now verifiers may answer from memory by leases given before now.

    A bound that was lowered lately counts as it was: leases by it last. Where that cannot be read, it is
    the longest that any setting allows.
    """
    now = deps.clock.now()
    try:
        with deps.store.read() as tx:
            settings = tx.settings.load()
            page = Page(limit=_MOST_CHANGES, newest_first=True)
            events = tx.events.list(page, actions=[SettingsChanged.action])
    except Unavailable:
        return float(MOST_BOUND_SECONDS + MOST_GRACE_SECONDS)
    longest = float(settings.longest_lease)
    # From the latest to the earliest: each tells how the settings were before it.
    for event in events:
        settings = settings.changed({name: values[0] for name, values in _known(event.details.get("changes")).items()})
        longest = max(longest, settings.longest_lease - _seconds_since(event.at, now))
    return longest


def _known(changes: object) -> dict[str, list[bool | int]]:
    return {name: values for name, values in changes.items() if name in ATTRIBUTES} if isinstance(changes, dict) else {}


def _seconds_since(at: datetime, now: datetime) -> float:
    return max(0.0, (now - at) / timedelta(seconds=1))
