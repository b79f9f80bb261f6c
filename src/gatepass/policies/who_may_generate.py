"""Whether ordinary users may generate tokens, or administrators only."""

from gatepass.errors import NotAllowed
from gatepass.interfaces import NewToken
from gatepass.model.settings import Settings


class WhoMayGenerate:
    """Refuse new tokens of ordinary users unless `apiAccessTokens.usersMayGenerate`, or their groups decide."""

    def check(self, request: NewToken, settings: Settings) -> None:
        """Raise NotAllowed."""
        owner = request.owner
        if owner.is_admin:
            return
        if owner.may_generate is False:
            raise NotAllowed("your groups in the directory do not let you generate tokens; ask an administrator")
        if not settings.users_may_generate and not owner.may_generate:
            raise NotAllowed("only administrators may generate tokens here; ask one of them")
