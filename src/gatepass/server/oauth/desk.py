"""Who asks about tokens, and what they hear: the same at every listener, without a web framework or a password."""

from collections.abc import Mapping
from urllib.parse import unquote_plus

from gatepass.model.actor import Actor, Credential
from gatepass.model.registered_verifier import RegisteredVerifier, is_verifier_credential, name_key
from gatepass.model.secret import Secret
from gatepass.model.verdict import Reason
from gatepass.server.credentials import Basic, Bearer, Presented
from gatepass.server.oauth.answers import Answer
from gatepass.server.oauth.introspect import Caller, Judge, introspect
from gatepass.services.check_verifier import check_verifier
from gatepass.services.deps import StoreDeps
from gatepass.services.may_introspect import may_introspect
from gatepass.verifier.use_sender import UseSender

ACCEPTED = "accepted"


def verifier_credential(presented: Presented) -> Secret | None:
    """Return the credential of a verifier from a bearer token or a password, None if it is none."""
    if isinstance(presented, Bearer):
        text = presented.text
    elif isinstance(presented, Basic):
        text = presented.password
    else:
        return None
    return text if is_verifier_credential(text.reveal()) else None


def find_caller(deps: StoreDeps, presented: Presented, credential: Secret) -> RegisteredVerifier | Reason:
    """Return the registered verifier that presented `credential`, or why it is none."""
    found = check_verifier(deps, credential)
    if isinstance(found, Reason) or not isinstance(presented, Basic) or _is_called(found, presented.email):
        return found
    return Reason.UNKNOWN


def _is_called(verifier: RegisteredVerifier, name: str) -> bool:
    """Tell whether this is the verifier's name or id, as it is or form-encoded (RFC 6749 section 2.3.1)."""
    said = {name_key(name), name_key(unquote_plus(name))}
    return bool(said & {name_key(verifier.name), str(verifier.id)})


def answer_question(
    deps: StoreDeps, actor: Actor, fields: Mapping[str, str], *, judge: Judge, uses: UseSender, issuer: str
) -> Answer:
    """Answer one introspection by `actor`. Raises what `introspect` and `may_introspect` raise."""
    # SECURITY: who may not ask at all must hear so whatever the token is, so this comes before any token.
    may_introspect(deps, actor, actor.user_id)
    caller = Caller(
        is_verifier=actor.credential is Credential.VERIFIER,
        may_see=lambda owner_id: may_introspect(deps, actor, owner_id),
    )
    answer = introspect(judge, caller, fields, issuer=issuer)
    if caller.is_verifier and answer.result == ACCEPTED and answer.token_id:
        uses.record(answer.token_id)  # somebody came to the verifier with it; a person only looks
    return answer
