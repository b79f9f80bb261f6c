"""Page: Token policy, for administrators."""

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from gatepass.errors import InvalidInput
from gatepass.interfaces import Page as ListPage
from gatepass.model.settings import Settings
from gatepass.server.web.forms import checkbox, whole_number
from gatepass.server.web.pages import Page, Visit, redirect, show
from gatepass.services.change_settings import change_settings
from gatepass.services.get_settings import get_settings
from gatepass.services.list_events import list_events

POLICY = "/admin/token-policy"
_LIFETIME, _RETENTION = "apiAccessTokens.maximumLifetimeDays", "tokens.retentionDays"
_BOUND, _GRACE = "verifiers.boundSeconds", "verifiers.graceSeconds"


def show_policy(visit: Visit) -> Response:
    """Show the settings."""
    return _policy(visit, get_settings(visit.deps, visit.actor), {})


def do_change(visit: Visit) -> Response:
    """Change the settings, all together or none."""
    before = get_settings(visit.deps, visit.actor)
    try:
        changes: dict[str, Any] = {
            "apiAccessTokens.enabled": checkbox(visit.form, "enabled"),
            "apiAccessTokens.usersMayGenerate": visit.form.get("usersMayGenerate") == "true",
            _LIFETIME: whole_number(visit.form, "maximumLifetimeDays"),
            _RETENTION: whole_number(visit.form, "retentionDays"),
            _BOUND: whole_number(visit.form, "boundSeconds"),
            _GRACE: whole_number(visit.form, "graceSeconds"),
        }
        shown = _shown(visit)
        # Only what was changed in the form: somebody else may have changed the rest since it was shown.
        changed = {name: value for name, value in changes.items() if name not in shown or shown[name] != value}
        change_settings(visit.deps, visit.actor, changed)
    except InvalidInput as error:
        return _policy(visit, before, {error.field.rpartition(".")[2]: error.reason}, HTTPStatus.BAD_REQUEST)
    return redirect(POLICY, done="policy-saved")


def _shown(visit: Visit) -> dict[str, Any]:
    """Return the settings as the form showed them."""
    try:
        found = json.loads(visit.form.get("shown", ""))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _policy(visit: Visit, settings: Settings, errors: dict[str, str], status: HTTPStatus = HTTPStatus.OK) -> Response:
    last = list_events(visit.deps, visit.actor, page=ListPage(limit=1, newest_first=True), actions=["settings.changed"])
    values = {
        "settings": settings,
        "shown": visit.form.get("shown", json.dumps(settings.public())),
        "maximum": visit.form.get("maximumLifetimeDays", str(settings.maximum_lifetime_days)),
        "retention": visit.form.get("retentionDays", str(settings.retention_days)),
        "bound": visit.form.get("boundSeconds", str(settings.bound_seconds)),
        "grace": visit.form.get("graceSeconds", str(settings.grace_seconds)),
        "errors": errors,
        "last": last[0] if last else None,
        "done": visit.query.get("done"),
    }
    return show(visit, "policy.html", values, status=status)


PAGES = (Page(path=POLICY, get=show_policy, post=do_change),)
