"""What the use cases need from outside, handed in by whoever composes the program."""

from collections.abc import Sequence
from dataclasses import dataclass

from gatepass.interfaces import Clock, Keyring, PasswordHasher, Policy, Store
from gatepass.services.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Deps:
    """One installation of Gatepass, as the use cases see it."""

    store: Store
    clock: Clock
    keyring: Keyring
    hasher: PasswordHasher
    throttle: Throttle
    policies: Sequence[Policy]
    common_passwords: frozenset[str]
    """Case-folded passwords nobody may choose: the commonest ones and the site's own words."""
