"""Whether ordinary users may generate tokens, or administrators only."""

from gatepass.errors import NotAllowed
from gatepass.interfaces import NewToken
from gatepass.model.settings import Settings


class WhoMayGenerate:
    """Refuse new tokens of ordinary users unless `apiAccessTokens.usersMayGenerate`."""

    def check(self, request: NewToken, settings: Settings) -> None:
        """Raise NotAllowed."""
        if not settings.users_may_generate and not request.owner.is_admin:
            raise NotAllowed("only administrators may generate tokens here; ask one of them")
