"""Remove a registered verifier."""

from uuid import UUID

from gatepass.errors import NotFound
from gatepass.interfaces import Transaction
from gatepass.model.actor import Actor
from gatepass.model.change import ChangeKind
from gatepass.model.event import VerifierRemoved
from gatepass.model.registered_verifier import RegisteredVerifier
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event


def remove_verifier(deps: Deps, actor: Actor, name_or_id: str) -> RegisteredVerifier:
    """Remove a verifier for ever and return it as it was: its credential is refused from now on.

    For administrators and the console. Raises NotFound for one that is unknown or was removed.
    """
    now = deps.clock.now()
    with deps.store.write() as tx:
        authorise(tx, actor, Action.MANAGE_VERIFIERS, now=now)
        verifier = _find(tx, name_or_id)
        # SECURITY: a removal that changes nothing must never look like one that worked.
        if verifier is None or not tx.verifiers.remove(verifier.id, now):
            raise NotFound(f"there is no verifier {name_or_id!r}")
        tx.changes.add(ChangeKind.VERIFIER, verifier.id)
        record_event(tx, actor, VerifierRemoved(subject_id=verifier.id, name=verifier.name), now=now)
        return verifier


def _find(tx: Transaction, name_or_id: str) -> RegisteredVerifier | None:
    named = tx.verifiers.find_by_name(name_or_id)
    try:
        return named or tx.verifiers.find(UUID(name_or_id))
    except ValueError:
        return None
