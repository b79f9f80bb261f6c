"""The route table of /oauth2, and the one way every request of it goes."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from gatepass.errors import NotAuthenticated
from gatepass.model.actor import Actor, Credential
from gatepass.model.verdict import Reason
from gatepass.server.authentication import challenges
from gatepass.server.context import Context, context_of
from gatepass.server.credentials import Basic, Bearer, Presented
from gatepass.server.fields import FORM, parse_fields
from gatepass.server.oauth.answers import Answer, refused
from gatepass.server.oauth.callers import authenticate_caller
from gatepass.server.oauth.desk import ACCEPTED, answer_question, verifier_credential
from gatepass.server.oauth.revoke import revoke
from gatepass.server.parsing import require_media_type
from gatepass.server.posted import PostRoute

Handler = Callable[[Context, Actor, Mapping[str, str]], Answer]
_PROBING = frozenset({Reason.MALFORMED.value, Reason.UNKNOWN.value})


def _introspect(context: Context, actor: Actor, fields: Mapping[str, str]) -> Answer:
    judge, uses = context.verifier.judge, context.uses
    return answer_question(context.deps, actor, fields, judge=judge, uses=uses, issuer=context.public_url)


def _revoke(context: Context, actor: Actor, fields: Mapping[str, str]) -> Answer:
    return revoke(context.deps, context.verifier.judge, actor, fields)


class OAuthRoute(PostRoute):
    """A path that takes a form by POST, from a caller who proves who they are."""

    def __init__(self, path: str, handler: Handler, *, door: str) -> None:
        """Serve `path`; metrics count what is judged there under `door`."""
        super().__init__(path, refusal=refusal)
        self._handler = handler
        self._door = door

    async def take(self, request: Request, presented: Presented, body: bytes) -> Response:
        """Answer in a thread: one that may hash passwords if there is one to check."""
        context = context_of(request)
        hashes = isinstance(presented, Basic) and verifier_credential(presented) is None
        pool = context.hashing if hashes else context.work
        return _response(await pool.run(lambda: self._run(request, presented, body)))

    def _run(self, request: Request, presented: Presented, body: bytes) -> Answer:
        context = context_of(request)
        actor = request.state.actor = authenticate_caller(context, request, presented)
        require_media_type(request, FORM)
        # SECURITY: the body alone is read; a query string ends up in the logs of whatever stands in between.
        answer = self._handler(context, actor, parse_fields(body))
        if answer.result:
            context.metrics.verifications.labels(self._door, answer.result).inc()
            if answer.result != ACCEPTED:
                request.state.refusal = (answer.result, answer.token_id)
        if actor.credential is not Credential.VERIFIER and answer.result in _PROBING:
            # A verifier is trusted, and passes on what strangers send it.
            context.probes.count(actor.address)
        if actor.credential is Credential.TOKEN and actor.credential_id:
            context.uses.record(actor.credential_id)
        return answer


def refusal(request: Request, error: Exception, presented: Presented) -> Response:
    """Tell an error as OAuth does."""
    request.state.error = error
    found: list[str] = []
    if isinstance(error, NotAuthenticated):
        found = challenges(request, with_basic=True, rejected=isinstance(presented, Bearer))
    return _response(refused(error, ", ".join(found)))


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers))


ROUTES = (
    OAuthRoute("/oauth2/introspect", _introspect, door="introspect"),
    OAuthRoute("/oauth2/revoke", _revoke, door="revoke"),
)
