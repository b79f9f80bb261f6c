"""Introspection in a worker of the verify listener: for registered verifiers, and for people with a token.

It answers with the same bytes as `serve`. A person's password takes 50 ms to check and must be
throttled, so those who come with one are sent to `serve`: here they get 401.
"""

from collections.abc import Mapping

from gatepass.connect import EmbeddedVerifier, SystemClock
from gatepass.errors import NotAuthenticated
from gatepass.model.actor import Actor, Credential
from gatepass.model.verdict import Accepted, Reason
from gatepass.server.credentials import Bearer, Presented, read_authorization
from gatepass.server.fields import FORM, parse_fields, require_type
from gatepass.server.oauth.answers import Answer, refused
from gatepass.server.oauth.desk import answer_question, find_caller, verifier_credential
from gatepass.services.deps import StoreDeps
from gatepass.verifier.answer import BASIC_CHALLENGE, bearer_challenge
from gatepass.verifier.requirements import OWN_AUDIENCE, Requirements


class WorkerIntrospection:
    """Answers with what is stored, in the event loop: some short reads for each question."""

    def __init__(self, verifier: EmbeddedVerifier, *, issuer: str) -> None:
        """Tell `issuer`, the public URL of `serve`."""
        self._deps = StoreDeps(store=verifier.store, clock=SystemClock(), keyring=verifier.keyring)
        self._verifier = verifier
        self._issuer = issuer

    def answer(self, headers: Mapping[str, list[str]], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Answer one request, given its authorization and content-type; return status, headers and body."""
        presented: Presented = None
        try:
            presented = read_authorization(headers["authorization"])
            found = self._answer(presented, ", ".join(headers["content-type"]), body)
        except Exception as error:  # noqa: BLE001  SECURITY: whatever fails here is an outage, never an answer
            challenges = (bearer_challenge(rejected=isinstance(presented, Bearer)), BASIC_CHALLENGE)
            found = refused(error, ", ".join(challenges) if isinstance(error, NotAuthenticated) else "")
        return found.status, found.headers, found.body

    def _answer(self, presented: Presented, content_type: str, body: bytes) -> Answer:
        actor = self._actor(presented)
        require_type(content_type, FORM)
        judge, uses = self._verifier.judge, self._verifier.uses
        return answer_question(self._deps, actor, parse_fields(body), judge=judge, uses=uses, issuer=self._issuer)

    def _actor(self, presented: Presented) -> Actor:
        credential = verifier_credential(presented)
        if credential is not None:
            found = find_caller(self._deps, presented, credential)
            if isinstance(found, Reason):
                raise NotAuthenticated
            return Actor(Credential.VERIFIER, credential_id=found.id)
        if isinstance(presented, Bearer):
            verdict = self._verifier.verify(presented.text.reveal(), Requirements(audience=OWN_AUDIENCE))
            if isinstance(verdict, Accepted):
                return Actor(Credential.TOKEN, verdict.owner_id, verdict.token_id)
        raise NotAuthenticated
