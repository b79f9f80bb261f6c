"""What a sign-in elsewhere has to come back with, kept in the browser that began it.

Nobody else has the cookie, so an answer that an attacker began, or caught, is worth nothing in another browser.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from gatepass.model.identity import Begun
from gatepass.server.context import Context
from gatepass.server.web.sealed import drop_sealed, keep_sealed, unseal

_PURPOSE = b"gatepass sign-in elsewhere"


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that was begun in this browser."""

    provider: str
    kept: dict[str, str]
    target: str
    """The page to go to afterwards; empty: home."""
    mover: str = ""
    """The id of the session whose account is to be moved to that provider; empty: it is a plain sign-in."""


def keep_flow(
    context: Context, response: Response, provider_id: str, begun: Begun, *, target: str = "", mover: str = ""
) -> None:
    """Give the browser what has to come back."""
    # The answer may be a form that another site posts; a Lax cookie would stay behind. Without TLS a cookie
    # without the attribute does, for two minutes.
    same_site: Any = "lax" if not begun.posted else "none" if context.is_https else None
    told = [provider_id, begun.kept, target, mover]
    keep_sealed(context, response, _name(context, provider_id), _PURPOSE, told, same_site=same_site)


def find_flow(context: Context, cookies: dict[str, str], provider_id: str, *, now: datetime) -> Flow | None:
    """Return what this browser began at a provider; None if it began nothing, long ago, or something else."""
    told = unseal(context, _PURPOSE, cookies.get(_name(context, provider_id), ""), now=now)
    return Flow(*told) if told is not None and told[0] == provider_id else None


def drop_flow(context: Context, response: Response, provider_id: str) -> None:
    """Forget it in the browser: an answer is read once."""
    drop_sealed(context, response, _name(context, provider_id))


def _name(context: Context, provider_id: str) -> str:
    return f"{context.cookie_name}-{provider_id}"
