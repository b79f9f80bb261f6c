"""Try an identity provider: is it reached, what would become of somebody there? Changes nothing, asks no password."""

from collections.abc import Sequence
from dataclasses import dataclass

from gatepass.errors import InvalidInput, Unavailable
from gatepass.interfaces import ConfiguredProvider, ExaminedProvider, Step
from gatepass.model.actor import Actor
from gatepass.model.identity import Identity, Refused, user_name_of
from gatepass.services.deps import Deps
from gatepass.services.require_examiner import require_examiner


@dataclass(frozen=True, slots=True)
class Prospect:
    """What somebody would be here if they signed in now."""

    identity: Identity
    name: str
    """Their name here."""
    may_sign_in: bool
    is_admin: bool | None
    """None: as it is decided here."""
    may_generate: bool | None
    """None: as the settings say."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of it."""

    steps: Sequence[Step] = ()
    prospect: Prospect | None = None
    trouble: str = ""
    """Why there is no prospect, if one was asked for."""

    @property
    def works(self) -> bool:
        """Tell whether nothing is wrong, and whoever was asked about may sign in."""
        may_sign_in = self.prospect is None or self.prospect.may_sign_in
        return may_sign_in and not self.trouble and not any(step.trouble for step in self.steps)


def examine_provider(deps: Deps, actor: Actor, configured: ConfiguredProvider, *, login: str = "") -> Examination:
    """Do as `examine` does, for administrators."""
    require_examiner(deps, actor)
    return examine(configured, login=login)


def examine(configured: ConfiguredProvider, *, login: str = "") -> Examination:
    """Try one thing after the other; then, if all went well, look `login` up, unless it is empty."""
    provider = configured.provider
    if not isinstance(provider, ExaminedProvider):
        return Examination(trouble="this kind of provider cannot look anybody up" if login else "")
    steps = tuple(provider.steps())
    if not login or any(step.trouble for step in steps):
        return Examination(steps)
    try:
        told = provider.look_up(login)
    except Unavailable as error:
        return Examination(steps, trouble=str(error))
    if isinstance(told, Refused):
        return Examination(steps, trouble=told.detail or told.reason.value)
    try:
        name = user_name_of(told)
    except InvalidInput as error:
        return Examination(steps, trouble=str(error))
    rules = configured.admission
    is_admin = None if rules.admin_groups is None else rules.is_admin(told, before=False)
    return Examination(steps, Prospect(told, name, rules.may_sign_in(told), is_admin, rules.may_generate(told)))
