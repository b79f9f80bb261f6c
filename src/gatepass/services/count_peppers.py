"""Count the tokens under each pepper."""

from collections.abc import Mapping

from gatepass.services.deps import Deps


def count_peppers(deps: Deps) -> Mapping[int, int]:
    """Return how many tokens that are not deleted each pepper keeps. Reads every token."""
    with deps.store.read() as tx:
        return tx.tokens.count_by_pepper()
