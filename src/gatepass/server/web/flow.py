"""What a sign-in elsewhere has to come back with, kept in the browser that began it: signed, and good for 10 minutes.

Nobody else has the cookie, so an answer that an attacker began, or caught, is worth nothing in another browser.
"""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from gatepass.model.identity import Begun
from gatepass.model.instant import from_milliseconds, to_milliseconds
from gatepass.server.context import Context

FLOW_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that was begun in this browser."""

    provider: str
    kept: dict[str, str]
    target: str
    """The page to go to afterwards; empty: home."""


def keep_flow(context: Context, response: Response, provider_id: str, begun: Begun, *, target: str) -> None:
    """Give the browser what has to come back."""
    at = to_milliseconds(context.deps.clock.now())
    content = json.dumps([provider_id, begun.kept, target, at]).encode()
    text = base64.urlsafe_b64encode(content).decode() + "." + _mac(context, content).hex()
    # The answer may be a form that another site posts; a Lax cookie would stay behind. Without TLS a cookie
    # without the attribute does, for two minutes.
    same_site: Any = "lax" if not begun.posted else "none" if context.is_https else None
    response.set_cookie(
        _name(context, provider_id),
        text,
        max_age=int(FLOW_LIFETIME.total_seconds()),
        path="/",
        secure=context.is_https,
        httponly=True,
        samesite=same_site,
    )


def find_flow(context: Context, cookies: dict[str, str], provider_id: str, *, now: datetime) -> Flow | None:
    """Return what this browser began at a provider; None if it began nothing, long ago, or something else."""
    encoded, _, mac = cookies.get(_name(context, provider_id), "").partition(".")
    try:
        content = base64.b64decode(encoded, altchars=b"-_", validate=True)
        given = bytes.fromhex(mac)
    except (binascii.Error, ValueError):
        return None
    if not hmac.compare_digest(given, _mac(context, content)):
        return None
    began_at, kept, target, at = json.loads(content)
    if began_at != provider_id or not timedelta() <= now - from_milliseconds(at) < FLOW_LIFETIME:
        return None
    return Flow(provider_id, kept, target)


def drop_flow(context: Context, response: Response, provider_id: str) -> None:
    """Forget it in the browser: an answer is read once."""
    response.delete_cookie(_name(context, provider_id), path="/", secure=context.is_https, httponly=True)


def _name(context: Context, provider_id: str) -> str:
    return f"{context.cookie_name}-{provider_id}"


def _mac(context: Context, content: bytes) -> bytes:
    key = hmac.digest(context.deps.keyring.server_key(), b"gatepass sign-in elsewhere", "sha256")
    return hmac.digest(key, content, "sha256")
