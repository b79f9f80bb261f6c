"""Judge tokens for a registered verifier, which will remember the verdicts."""

from collections.abc import Sequence
from typing import NamedTuple

from gatepass.model.actor import Actor
from gatepass.model.presented import PresentedToken
from gatepass.model.verdict import Verdict
from gatepass.services.access import Action, authorise
from gatepass.services.deps import StoreDeps
from gatepass.services.judge_token import judge_token


class Judged(NamedTuple):
    """Verdicts in the order of the tokens, and the revision at which all of them were read."""

    epoch: str
    revision: int
    verdicts: Sequence[Verdict]


def judge_elsewhere(deps: StoreDeps, actor: Actor, presented: Sequence[PresentedToken]) -> Judged:
    """Judge tokens by what is stored at one moment; neither time nor request is in the verdicts.

    Raises NotAuthenticated for a verifier that was removed meanwhile, Unavailable if store or pepper
    are out of reach.
    """
    with deps.store.read() as tx:
        authorise(tx, actor, Action.VERIFY_ELSEWHERE, now=deps.clock.now())
        # SECURITY: one snapshot. A verdict older than its revision would be kept past the change that ended it.
        epoch, revision = tx.changes.epoch(), tx.changes.head()
        found = tx.find_verifications([each.id for each in presented]).found
    verdicts = [judge_token(found.get(each.id), each, keyring=deps.keyring) for each in presented]
    return Judged(epoch, revision, verdicts)
