"""For mistakes that few runs meet: what a run must be made of to meet them."""

from collections.abc import Mapping

from simulation.run import Plan

DIRECTED: Mapping[str, Plan] = {}
