"""For mistakes that few runs meet: what a run must be made of to meet them."""

from collections.abc import Mapping

from simulation.clients import Rates
from simulation.nemesis import FAULTS
from simulation.run import Plan

SHORT_LIVES = Rates(
    create=0.2, delete=0.2, disable=0, narrow=0, feature=0, stalked=(0.1, 0.4), again=0.6, known=4, clients=3
)
DIRECTED: Mapping[str, Plan] = {
    "async_failover": Plan(faults={**FAULTS, "fail_over": 4}),
    # A process that is stopped while the answer to its poll lies there.
    "lease_on_receive": Plan(faults={"stop": 3, "ambush": 1}, every=(0.3, 1.5)),
    # Look-ups of one token that overtake each other, while its deletion is not heard of yet.
    "old_put": Plan(seconds=5, rates=SHORT_LIVES, faults={"slow": 1}, late=0.3),
}
KNOWN: Mapping[str, tuple[int, ...]] = {
    "wall_lease": (7, 15, 18),
    "warm_restart": (4, 5, 6),
    "create_race": (0, 3, 15),
    "lease_on_receive": (0, 8),
    "early_receipt": (14,),
    "old_put": (15,),
}
"""Seeds in which they were found; where the code has changed since, others are tried."""
