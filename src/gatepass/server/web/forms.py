"""Forms: reading them, and the token in each that shows it is one of ours."""

import hmac
from collections.abc import Mapping

from starlette.requests import Request

from gatepass.errors import InvalidInput, NotAllowed
from gatepass.model.secret import Secret
from gatepass.server.authentication import require_same_origin
from gatepass.server.context import Context
from gatepass.server.fields import parse_fields
from gatepass.server.parsing import require_media_type

CSRF_FIELD = "csrf"


def csrf_token(handle: Secret) -> str:
    """Return the token for forms of the browser whose cookie holds `handle`."""
    return hmac.digest(handle.reveal().encode(), b"gatepass form", "sha256").hex()


def parse_form(request: Request, body: bytes) -> dict[str, str]:
    """Read a form. Raises WrongMediaType, or InvalidInput for one that no browser sends."""
    require_media_type(request, "application/x-www-form-urlencoded")
    return parse_fields(body)


def require_own_form(context: Context, request: Request, form: Mapping[str, str], handle: Secret | None) -> None:
    """Raise NotAllowed unless the form was made by us for this very browser, and sent from our page."""
    require_same_origin(context, request)
    # SECURITY: the token is bound to the cookie, so another session's, or none, does not fit.
    given = form.get(CSRF_FIELD, "").encode("utf-8", "surrogatepass")
    if handle is None or not hmac.compare_digest(given, csrf_token(handle).encode()):
        raise NotAllowed("this form was not made for this browser, or is too old; load the page again")


def checkbox(form: Mapping[str, str], name: str) -> bool:
    """Tell whether a box is ticked; browsers leave out those that are not."""
    return name in form


def whole_number(form: Mapping[str, str], name: str) -> int:
    """Read a whole number. Raises InvalidInput naming the field."""
    text = form.get(name, "").strip()
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise InvalidInput(name, "must be a whole number")
    return int(text)


def safe_next(target: str | None) -> str | None:
    r"""Return where to go after signing in, if that is a page of ours; anything else is dropped.

    One slash and a plain path: no other site (`//evil`, `\evil`), no scheme, no control characters.
    """
    if not target or not target.startswith(("/settings/", "/admin/")) or len(target) > 500:
        return None
    plain = target.isascii() and target.isprintable() and not {"\\", " ", "#"} & set(target)
    return target if plain and "//" not in target and ".." not in target else None
