"""Settings: what administrators decide for the whole installation, kept in the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from gatepass.errors import InvalidInput
from gatepass.model.text import shown

NO_MAXIMUM = -1
MOST_DAYS = 36_500
SECONDS_A_DAY = 86_400
MOST_BOUND_SECONDS, MOST_GRACE_SECONDS = 60, 3600

SettingValue = bool | int


@dataclass(frozen=True, slots=True)
class Settings:
    """One value for each setting. The public name and the range stand in a field's metadata."""

    enabled: bool = field(default=False, metadata={"name": "apiAccessTokens.enabled"})
    """Whether tokens exist at all (rule R11)."""
    users_may_generate: bool = field(default=False, metadata={"name": "apiAccessTokens.usersMayGenerate"})
    """Whether people who are not administrators may generate tokens."""
    maximum_lifetime_days: int = field(
        default=NO_MAXIMUM,
        metadata={"name": "apiAccessTokens.maximumLifetimeDays", "most": MOST_DAYS, "also": NO_MAXIMUM},
    )
    """The longest lifetime of a new token in days, or -1."""
    retention_days: int = field(default=400, metadata={"name": "tokens.retentionDays", "most": MOST_DAYS})
    """How long the record of an expired or deleted token is kept."""

    bound_seconds: int = field(default=5, metadata={"name": "verifiers.boundSeconds", "most": MOST_BOUND_SECONDS})
    """For how long a verifier elsewhere may answer from memory without hearing from us."""
    grace_seconds: int = field(
        default=0, metadata={"name": "verifiers.graceSeconds", "least": 0, "most": MOST_GRACE_SECONDS}
    )
    """How much longer a verifier that asks for it may."""

    @property
    def longest_lease(self) -> int:
        """For how many seconds a verifier may answer from memory at most without hearing from us."""
        return self.bound_seconds + self.grace_seconds

    def public(self) -> dict[str, SettingValue]:
        """Return the settings by their public names."""
        return {name: getattr(self, attribute) for name, attribute in ATTRIBUTES.items()}

    def changed(self, changes: Mapping[str, Any]) -> "Settings":
        """Return a copy with `changes` (by public name), or raise InvalidInput naming the setting."""
        checked: dict[str, Any] = {}
        for name, value in changes.items():
            if name not in ATTRIBUTES:
                raise InvalidInput(shown(name), f"is not a setting; there are {', '.join(sorted(ATTRIBUTES))}")
            checked[ATTRIBUTES[name]] = _check(name, value)
        return replace(self, **checked)


ATTRIBUTES: Mapping[str, str] = {each.metadata["name"]: each.name for each in fields(Settings)}
"""Public name to attribute."""

_FIELDS = {each.metadata["name"]: each for each in fields(Settings)}


def parse_setting(name: str, text: str) -> SettingValue:
    """Read a setting typed at a terminal: `true`, `false` or a whole number."""
    words = {"true": True, "on": True, "false": False, "off": False}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(name, f"must be true, false or a whole number, not {text!r}") from None


def _check(name: str, value: object) -> SettingValue:
    described = _FIELDS[name]
    if described.type is bool:
        if not isinstance(value, bool):
            raise InvalidInput(name, "must be true or false")
        return value
    least, most = described.metadata.get("least", 1), described.metadata["most"]
    also = described.metadata.get("also")
    if isinstance(value, bool) or not isinstance(value, int) or not (value == also or least <= value <= most):
        extra = "" if also is None else f", or {also} for no maximum"
        raise InvalidInput(name, f"must be a whole number from {least} to {most}{extra}")
    return value
