"""Checks of identity providers: are they reached, and do they still vouch for the people who are here?"""

from collections.abc import Mapping

from gatepass.connect import SystemClock
from gatepass.errors import BadConfiguration
from gatepass.interfaces import ExaminedProvider
from gatepass.server.doctor.finding import Check, Finding, Premises, ok, warning, wrong
from gatepass.server.provider_settings import Provider, configured
from gatepass.server.settings import Config, require_carriers


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


CHECKS: Mapping[str, Check] = {"providers": check_providers}
"""Made only where providers are configured."""
