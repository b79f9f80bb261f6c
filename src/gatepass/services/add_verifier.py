"""Register a verifier."""

from gatepass.model.actor import Actor
from gatepass.model.event import VerifierAdded
from gatepass.model.registered_verifier import (
    AddedVerifier,
    RegisteredVerifier,
    check_verifier_name,
    write_verifier_credential,
)
from gatepass.model.secret import generate_id, generate_secret, sha256
from gatepass.model.token import token_mac
from gatepass.services.access import Action, authorise
from gatepass.services.deps import Deps
from gatepass.services.record_event import record_event


def add_verifier(deps: Deps, actor: Actor, name: str) -> AddedVerifier:
    """Register a service that may ask about tokens, and return it with its credential, this once.

    For administrators and the console. Raises InvalidInput naming `name`, Conflict if a verifier
    has it already.
    """
    now = deps.clock.now()
    with deps.store.write() as tx:
        authorise(tx, actor, Action.MANAGE_VERIFIERS, now=now)
        check_verifier_name(name)
        verifier_id = generate_id(now)
        credential = write_verifier_credential(verifier_id, generate_secret())
        number, pepper = deps.keyring.current_pepper()
        verifier = RegisteredVerifier(
            id=verifier_id,
            name=name,
            mac=token_mac(pepper, sha256(credential.reveal())),
            pepper=number,
            created_at=now,
        )
        tx.verifiers.add(verifier)
        record_event(tx, actor, VerifierAdded(subject_id=verifier_id, name=name), now=now)
    return AddedVerifier(verifier, credential)
