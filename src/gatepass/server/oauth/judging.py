"""The one place where the OAuth doors have a token judged."""

from collections.abc import Callable

from gatepass.model.token import PresentedToken
from gatepass.model.verdict import Verdict
from gatepass.services.deps import Deps
from gatepass.services.verify_token import judge_presented

Judge = Callable[[PresentedToken], Verdict]
"""Judges a token at this moment; raises Unavailable if that cannot be known."""


def judge_with(deps: Deps) -> Judge:
    """Return what judges tokens against this installation."""
    return lambda presented: judge_presented(deps, presented)
