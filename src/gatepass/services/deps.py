"""What the use cases need from outside, handed in by whoever composes the program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gatepass.interfaces import Clock, ConfiguredProvider, Keyring, PasswordHasher, Policy, Store
from gatepass.services.throttle import Throttle


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreDeps:
    """One installation as those see it who only read and judge."""

    store: Store
    clock: Clock
    keyring: Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps(StoreDeps):
    """One installation of Gatepass, as the use cases see it."""

    hasher: PasswordHasher
    throttle: Throttle
    policies: Sequence[Policy]
    common_passwords: frozenset[str]
    """Case-folded passwords nobody may choose: the commonest ones and the site's own words."""
    local_sign_in: bool = True
    """Whether passwords that are kept here count (`services/local_sign_in.py`)."""
    providers: Mapping[str, ConfiguredProvider] = field(default_factory=dict)
    """Identity providers by their id, in the order in which they are offered and asked."""
