"""Checks of identity providers: are they reached, and do they still vouch for the people who are here?"""

from collections.abc import Mapping

from gatepass.connect import SystemClock
from gatepass.errors import BadConfiguration
from gatepass.interfaces import ExaminedProvider, Page
from gatepass.server.doctor.finding import Check, Finding, Premises, ok, warning, wrong
from gatepass.server.provider_settings import Provider, configured
from gatepass.server.settings import Config, require_carriers, require_way_in

_STEP = 1000


def check_providers(premises: Premises) -> Finding:
    """Find a provider that is out of reach or does not let us look."""
    said = []
    for each in premises.config.providers.values():
        found = _tried(each, premises.config)
        if found is not None:
            return found
        said.append(each.id)
    return ok(f"{', '.join(said)}: ready")


def _tried(provider: Provider, config: Config) -> Finding | None:
    try:
        made = configured(provider, clock=SystemClock())
        if provider.config.enabled:
            require_carriers(config, [made])
    except BadConfiguration as error:
        return wrong(str(error), error.hint)
    built = made.provider
    for step in built.steps() if isinstance(built, ExaminedProvider) else ():
        if step.trouble:
            return wrong(
                f"{provider.id}: {step.words}: {step.trouble}", step.hint or f"gatepass idp test {provider.id}"
            )
    if not getattr(provider.options, "tls_verify", True):
        return warning(f"{provider.id}: tls_verify is off: anybody on the way can read every password", "set tls_ca")
    return None


def check_local_sign_in(premises: Premises) -> Finding:
    """Find whom local sign-in that is off keeps out, and whether anybody could be let back in."""
    if premises.config.sign_in.local:
        return ok("people sign in with passwords that are kept here, too")
    try:
        require_way_in(premises.config)
    except BadConfiguration as error:
        return wrong(str(error), "switch a provider on")
    admins = others = 0
    with premises.store.read() as tx:
        page = tx.users.list(Page(limit=_STEP))
        while page:
            admins += sum(each.is_local and each.is_admin for each in page)
            others += sum(each.is_local and each.is_live and not each.is_admin for each in page)
            page = tx.users.list(Page(limit=_STEP, after=page[-1].id))
    if not admins:
        return wrong(
            "sign_in.local is off, and `gatepass user recover` could let no administrator in: none has an account here",
            "switch it on for as long as it takes to add one",
        )
    if others:
        return warning(
            f"sign_in.local is off; people who can sign in nowhere else: {others}; their tokens go on working",
            "let them move with sign-in on, or with `gatepass user recover` one by one; or disable them",
        )
    return ok("off; `gatepass user recover` lets an administrator in")


CHECKS: Mapping[str, Check] = {"providers": check_providers, "local sign-in": check_local_sign_in}
"""Made only where providers are configured."""
