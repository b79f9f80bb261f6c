"""The longest lifetime a new token may have, for administrators too."""

from gatepass.errors import InvalidInput
from gatepass.interfaces import NewToken
from gatepass.model.settings import NO_MAXIMUM, SECONDS_A_DAY, Settings
from gatepass.model.token import NEVER_EXPIRES


class MaxLifetime:
    """Refuse a longer life than `apiAccessTokens.maximumLifetimeDays`, and endless ones with it."""

    def check(self, request: NewToken, settings: Settings) -> None:
        """Raise InvalidInput naming `lifetimeSeconds`."""
        days = settings.maximum_lifetime_days
        if days == NO_MAXIMUM:
            return
        if request.lifetime_seconds == NEVER_EXPIRES or request.lifetime_seconds > days * SECONDS_A_DAY:
            reason = f"must be at most {days * SECONDS_A_DAY} ({days} days), the maximum that administrators set"
            raise InvalidInput("lifetimeSeconds", reason)
