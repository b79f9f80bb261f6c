"""Site rules about new tokens. A policy is one file in here and one line in this table."""

from gatepass.interfaces import Policy
from gatepass.policies.max_lifetime import MaxLifetime
from gatepass.policies.who_may_generate import WhoMayGenerate

POLICIES: tuple[Policy, ...] = (WhoMayGenerate(), MaxLifetime())
"""All policies, in the order they are asked."""
