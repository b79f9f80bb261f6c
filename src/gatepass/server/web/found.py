"""Who somebody turned out to be at a provider, kept in their browser until they say that this is them.

Bound to the session that asked. Of the groups only those that mean something here are kept: a cookie has little room.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from starlette.responses import Response

from gatepass.interfaces import ConfiguredProvider
from gatepass.model.identity import Finished, Identity, Once
from gatepass.model.instant import from_milliseconds, to_milliseconds
from gatepass.server.context import Context
from gatepass.server.web.sealed import drop_sealed, keep_sealed, unseal

_PURPOSE = b"gatepass move to a provider"


@dataclass(frozen=True, slots=True)
class Found:
    """What a provider said, for a session that wants to move there."""

    finished: Finished
    mover: str
    """The id of the session."""


def keep_found(context: Context, response: Response, configured: ConfiguredProvider, found: Found) -> None:
    """Give it to the browser."""
    rules = configured.admission
    named = frozenset().union(*filter(None, (rules.sign_in_groups, rules.admin_groups, rules.generate_groups)))
    identity = found.finished.identity
    told = {
        "mover": found.mover,
        "identity": asdict(identity) | {"groups": sorted(identity.groups & named)},
        "once": [[each.key, to_milliseconds(each.until)] for each in found.finished.once],
    }
    keep_sealed(context, response, _name(context, configured.id), _PURPOSE, told)


def find_found(context: Context, cookies: dict[str, str], provider_id: str, *, now: datetime) -> Found | None:
    """Return who it was at a provider; None if nobody came back from there, or long ago."""
    told = unseal(context, _PURPOSE, cookies.get(_name(context, provider_id), ""), now=now)
    if told is None or told["identity"]["provider"] != provider_id:
        return None
    identity = Identity(**{**told["identity"], "groups": frozenset(told["identity"]["groups"])})
    once = tuple(Once(key, from_milliseconds(until)) for key, until in told["once"])
    return Found(Finished(identity, once), told["mover"])


def drop_found(context: Context, response: Response, provider_id: str) -> None:
    """Forget it in the browser."""
    drop_sealed(context, response, _name(context, provider_id))


def _name(context: Context, provider_id: str) -> str:
    return f"{context.cookie_name}-{provider_id}--found"  # no id of a provider has two hyphens in a row
