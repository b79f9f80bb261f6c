"""What the use cases need from outside, handed in by whoever composes the program."""

from collections.abc import Sequence
from dataclasses import dataclass

from gatepass.interfaces import Clock, Keyring, PasswordHasher, Policy, Store
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
