"""Count what is kept under each pepper."""

from collections.abc import Mapping
from dataclasses import dataclass

from gatepass.services.deps import Deps


@dataclass(frozen=True, slots=True)
class PepperUse:
    """What needs a pepper, so that it has to stay."""

    tokens: int = 0
    verifiers: int = 0


def count_peppers(deps: Deps) -> Mapping[int, PepperUse]:
    """Return how many tokens and verifiers, deleted ones apart, each pepper keeps. Reads every token."""
    with deps.store.read() as tx:
        tokens, verifiers = tx.tokens.count_by_pepper(), tx.verifiers.count_by_pepper()
    return {number: PepperUse(tokens.get(number, 0), verifiers.get(number, 0)) for number in {*tokens, *verifiers}}
