"""REST: settings."""

from typing import Any

from gatepass.model.settings import Settings
from gatepass.server.api.routing import Answer, Call, Operation
from gatepass.services.change_settings import change_settings
from gatepass.services.get_settings import get_settings


def get(call: Call) -> Answer:
    """Return all settings."""
    return Answer(get_settings(call.deps, call.actor).public())


def change(call: Call) -> Answer:
    """Change the settings that are named."""
    return Answer(change_settings(call.deps, call.actor, call.body).public())


SETTINGS_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "apiAccessTokens.enabled": {"type": "boolean", "default": Settings().enabled},
        "apiAccessTokens.usersMayGenerate": {"type": "boolean", "default": Settings().users_may_generate},
        "apiAccessTokens.maximumLifetimeDays": {
            "type": "integer",
            "anyOf": [{"enum": [-1]}, {"minimum": 1, "maximum": 36500}],
            "default": Settings().maximum_lifetime_days,
        },
        "tokens.retentionDays": {
            "type": "integer",
            "minimum": 1,
            "maximum": 36500,
            "default": Settings().retention_days,
        },
        "verifiers.boundSeconds": {
            "type": "integer",
            "minimum": 1,
            "maximum": 60,
            "default": Settings().bound_seconds,
        },
        "verifiers.graceSeconds": {
            "type": "integer",
            "minimum": 0,
            "maximum": 3600,
            "default": Settings().grace_seconds,
        },
    },
}

ROUTES = (
    Operation(
        method="GET",
        path="/v4/settings",
        handler=get,
        summary="Get all settings (administrators).",
        tag="settings",
        returns=SETTINGS_SCHEMA,
    ),
    Operation(
        method="PATCH",
        path="/v4/settings",
        handler=change,
        summary="Change any of the settings (administrators).",
        tag="settings",
        body=dict[str, Any],
        returns=SETTINGS_SCHEMA,
    ),
)
