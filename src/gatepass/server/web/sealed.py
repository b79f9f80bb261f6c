"""Texts that wait in a browser: signed by this site for one purpose, not hidden, and good for 10 minutes."""

import base64
import binascii
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from gatepass.model.instant import from_milliseconds, to_milliseconds
from gatepass.server.context import Context

LIFETIME = timedelta(minutes=10)


def seal(context: Context, purpose: bytes, told: Any) -> str:
    """Return a text that holds `told`, any JSON value."""
    content = json.dumps([told, to_milliseconds(context.deps.clock.now())]).encode()
    return base64.urlsafe_b64encode(content).decode() + "." + _mac(context, purpose, content).hex()


def unseal(context: Context, purpose: bytes, text: str, *, now: datetime) -> Any:
    """Return what a text holds; None if it was sealed elsewhere, for something else, or long ago."""
    encoded, _, mac = text.partition(".")
    try:
        content = base64.b64decode(encoded, altchars=b"-_", validate=True)
        given = bytes.fromhex(mac)
    except (binascii.Error, ValueError):
        return None
    if not hmac.compare_digest(given, _mac(context, purpose, content)):
        return None
    told, at = json.loads(content)
    return told if timedelta() <= now - from_milliseconds(at) < LIFETIME else None


def keep_sealed(
    context: Context, response: Response, name: str, purpose: bytes, told: Any, *, same_site: Any = "lax"
) -> None:
    """Give the browser `told`, sealed, in the cookie `name`."""
    response.set_cookie(
        name,
        seal(context, purpose, told),
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=context.is_https,
        httponly=True,
        samesite=same_site,
    )


def drop_sealed(context: Context, response: Response, name: str) -> None:
    """Let the browser forget it."""
    response.delete_cookie(name, path="/", secure=context.is_https, httponly=True)


def _mac(context: Context, purpose: bytes, content: bytes) -> bytes:
    key = hmac.digest(context.deps.keyring.server_key(), purpose, "sha256")
    return hmac.digest(key, content, "sha256")
