"""Identity providers: where people prove who they are. A provider is one file in here and one line in KINDS.

The module of a kind has `Options`, a frozen dataclass whose fields are its keys of the configuration, and
`build(options, *, provider_id, clock)`. It is imported when such a provider is configured, and may bring a
library of its own. Local passwords (`local`) are no kind: they are kept in the store.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from gatepass.errors import BadConfiguration
from gatepass.interfaces import Clock, IdentityProvider

KINDS: dict[str, str] = {
    "ldap": "gatepass.identity.ldap",
    "oidc": "gatepass.identity.oidc",
    "trusted_proxy": "gatepass.identity.trusted_proxy",
    "saml": "gatepass.identity.saml",
}
"""Kind to module."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the module of a kind has."""

    options: type
    """A dataclass of texts, whole numbers, booleans and tuples of texts, each with a default.

    `metadata={"secret": True}` hides a field.
    """
    build: Callable[..., IdentityProvider]
    group_key: Callable[[str], str]
    """Gives the names of groups in the configuration the form that `Identity.groups` has."""


def find_kind(name: str) -> Kind:
    """Return a kind of provider. Raises BadConfiguration if it is not known or lacks a package."""
    if name not in KINDS:
        raise BadConfiguration("kind", f"must be one of {', '.join(sorted(KINDS))}, not {name!r}")
    module: Any = import_module(KINDS[name])
    return Kind(module.Options, module.build, getattr(module, "group_key", str))


def build_provider(kind: str, options: Any, *, provider_id: str, clock: Clock) -> IdentityProvider:
    """Return a provider that is ready to be asked. Asks nobody anything yet.

    Raises BadConfiguration naming the option.
    """
    try:
        return find_kind(kind).build(options, provider_id=provider_id, clock=clock)
    except ImportError as error:
        raise BadConfiguration(
            f"providers.{provider_id}.kind", f"needs the package {error.name!r}", hint=f"pip install 'gatepass[{kind}]'"
        ) from None
