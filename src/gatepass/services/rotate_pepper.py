"""Rotate the pepper that new tokens are kept under."""

from typing import Protocol

from gatepass.model.actor import CONSOLE
from gatepass.model.event import PepperRotated
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event


class RotatingKeyring(Protocol):
    """A keyring that can make another pepper current."""

    def rotate(self) -> int:
        """Add a pepper, make it the current one and return its number."""
        ...


def rotate_pepper(deps: Deps, keyring: RotatingKeyring) -> int:
    """Make a new pepper the current one, for the console; return its number. Old tokens stay good.

    If the audit record cannot be committed the new pepper exists all the same: it is harmless, and
    rotating again is safe.
    """
    with deps.store.write() as tx:
        number = keyring.rotate()
        record_event(tx, CONSOLE, PepperRotated(pepper=number), now=deps.clock.now())
    return number
