"""Section `providers`: the identity providers of a site, `[providers.ID]` in the file for each.

`kind` says which keys there are besides those of `ProviderConfig` (`Options` of `gatepass.identity.KIND`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from gatepass.errors import BadConfiguration, InvalidInput
from gatepass.identity import KINDS, Kind, build_provider, find_kind
from gatepass.interfaces import Clock, ConfiguredProvider
from gatepass.model.identity import Admission, check_provider_id, printable
from gatepass.model.secret import sha256
from gatepass.model.text import check_line
from gatepass.server.converting import Given, section_of

SECTION = "providers"
_LABEL_LENGTH = 60
_MOST_GRACE = 30 * 86_400
_LONGEST_READING = 86_400
_CREDENTIAL = re.compile(r"\A[0-9A-Za-z._~+/=-]{32,512}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """What every provider has, whatever its kind."""

    kind: str = ""
    enabled: bool = True
    """Whether anybody can sign in by it. Switched off it can be tried all the same."""
    name: str = ""
    """What its button says; empty: the id."""
    sign_in_groups: tuple[str, ...] = ()
    """Who may sign in; empty: everybody whom the provider knows."""
    admin_groups: tuple[str, ...] = ()
    """Who is an administrator; empty: as it is decided on the People page."""
    generate_groups: tuple[str, ...] = ()
    """Who may generate tokens; empty: as the settings say."""
    create_users: bool = True
    """Whether people are made when they first sign in."""
    enable_returning: bool = False
    """Whether somebody whom the directory had lost is enabled when they are there again."""
    read_every_seconds: int = 900
    """How often a directory is asked about each of its people."""
    grace_seconds: int = 3600
    """For how long the last known state holds while the directory is out of reach."""
    admin_grace_seconds: int = 0
    """The same for administrators."""
    scim_credential: tuple[str, ...] = field(default=(), metadata={"secret": True})
    """With what its directory pushes people by SCIM; two while one takes the place of the other. None: it does not."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider as it is configured."""

    id: str
    config: ProviderConfig
    options: Any
    """Of its kind's `Options`."""
    secrets: frozenset[str] = field(default_factory=frozenset)
    """Names of options that are not shown."""

    def value(self, name: str) -> Any:
        """Return the value of one key."""
        return getattr(self.config if hasattr(self.config, name) else self.options, name)


_COMMON = tuple(each.name for each in fields(ProviderConfig))


def provider_ids(keys: Iterable[str]) -> list[str]:
    """Return the ids among keys like `providers.ID.key`, in their order."""
    return list(dict.fromkeys(key.split(".")[1] for key in keys if key.startswith(f"{SECTION}.")))


def keys_of(provider: Provider) -> list[str]:
    """Return every key that a provider can have."""
    names = [*_COMMON, *(each.name for each in fields(provider.options))]
    return [f"{SECTION}.{provider.id}.{name}" for name in names]


def read_providers(given: Given) -> dict[str, Provider]:
    """Return the configured providers by their id. Raises BadConfiguration naming the key."""
    found = {provider_id: _read(provider_id, given) for provider_id in provider_ids(given)}
    _require_own_credentials(found)
    return found


def _require_own_credentials(providers: Mapping[str, Provider]) -> None:
    """Raise BadConfiguration if a SCIM credential would be of two providers."""
    taken: set[str] = set()
    for each in providers.values():
        own = set(each.config.scim_credential)
        if own & taken:
            raise BadConfiguration(f"{SECTION}.{each.id}.scim_credential", "is another provider's, too")
        taken |= own


def _read(provider_id: str, given: Given) -> Provider:
    section = f"{SECTION}.{provider_id}"
    try:
        check_provider_id(provider_id)
    except InvalidInput as error:
        raise BadConfiguration(section, error.reason) from None
    kind = _kind(section, given)
    names = {*_COMMON, *(each.name for each in fields(kind.options))}
    for key, (_, origin) in given.items():
        if key.startswith(f"{section}.") and key.removeprefix(f"{section}.") not in names:
            raise BadConfiguration(key, f"from {origin}: is no key of this kind of provider")
    config: ProviderConfig = section_of(section, ProviderConfig, given)
    _check(section, config)
    secrets = frozenset(
        each.name for of in (ProviderConfig, kind.options) for each in fields(of) if each.metadata.get("secret")
    )
    return Provider(provider_id, config, section_of(section, kind.options, given), secrets)


def _kind(section: str, given: Given) -> Kind:
    name, _ = given.get(f"{section}.kind", ("", ""))
    if name not in KINDS:
        raise BadConfiguration(f"{section}.kind", f"must be one of {', '.join(sorted(KINDS))}, not {name!r}")
    return find_kind(name)


def _check(section: str, config: ProviderConfig) -> None:
    try:
        check_line("name", config.name, most=_LABEL_LENGTH)
    except InvalidInput as error:
        raise BadConfiguration(f"{section}.name", error.reason) from None
    for name in ("grace_seconds", "admin_grace_seconds"):
        if not 0 <= getattr(config, name) <= _MOST_GRACE:
            raise BadConfiguration(f"{section}.{name}", f"must be 0 to {_MOST_GRACE}")
    if not 1 <= config.read_every_seconds <= _LONGEST_READING:
        raise BadConfiguration(f"{section}.read_every_seconds", f"must be 1 to {_LONGEST_READING}")
    if not all(_CREDENTIAL.match(each) for each in config.scim_credential):
        raise BadConfiguration(
            f"{section}.scim_credential",
            "must be 32 to 512 letters, digits and . _ ~ + / = -",
            hint="openssl rand -hex 32",
        )


def configured(provider: Provider, *, clock: Clock) -> ConfiguredProvider:
    """Return a provider that is ready to be asked. Raises BadConfiguration naming the key."""
    config, kind = provider.config, find_kind(provider.config.kind)

    def groups(names: tuple[str, ...]) -> frozenset[str] | None:
        return printable(kind.group_key(name) for name in names) if names else None

    return ConfiguredProvider(
        id=provider.id,
        name=config.name or provider.id,
        provider=build_provider(config.kind, provider.options, provider_id=provider.id, clock=clock),
        admission=Admission(
            sign_in_groups=groups(config.sign_in_groups),
            admin_groups=groups(config.admin_groups),
            generate_groups=groups(config.generate_groups),
            creates_users=config.create_users,
            enables_returning=config.enable_returning,
            names_are_pushed=bool(config.scim_credential),
        ),
        read_every_seconds=config.read_every_seconds,
        admin_grace_seconds=config.admin_grace_seconds,
        grace_seconds=config.grace_seconds,
        push_digests=tuple(sha256(each) for each in config.scim_credential),
    )
