"""The route table of /oauth2, and the one way every request of it goes."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatepass.errors import NotAuthenticated
from gatepass.model.actor import Actor, Credential
from gatepass.model.verdict import Reason
from gatepass.server import problems
from gatepass.server.authentication import Basic, Bearer, Presented, challenges, presented_by
from gatepass.server.context import Context, context_of
from gatepass.server.fields import parse_fields
from gatepass.server.oauth.answers import Answer, refused
from gatepass.server.oauth.callers import authenticate_caller, verifier_credential
from gatepass.server.oauth.introspect import Caller, introspect
from gatepass.server.oauth.revoke import revoke
from gatepass.server.parsing import read_body, require_media_type
from gatepass.services.may_introspect import may_introspect

Handler = Callable[[Context, Actor, Mapping[str, str]], Answer]
_ACCEPTED = "accepted"
_PROBING = frozenset({Reason.MALFORMED.value, Reason.UNKNOWN.value})


def _introspect(context: Context, actor: Actor, fields: Mapping[str, str]) -> Answer:
    deps = context.deps
    # SECURITY: who may not ask at all must hear so whatever the token is, so this comes before any token.
    may_introspect(deps, actor, actor.user_id)
    caller = Caller(
        is_verifier=actor.credential is Credential.VERIFIER,
        may_see=lambda owner_id: may_introspect(deps, actor, owner_id),
    )
    answer = introspect(context.verifier.judge, caller, fields, issuer=context.public_url)
    if caller.is_verifier and answer.result == _ACCEPTED and answer.token_id:
        context.uses.record(answer.token_id)  # somebody came to the verifier with it; a person only looks
    return answer


def _revoke(context: Context, actor: Actor, fields: Mapping[str, str]) -> Answer:
    return revoke(context.deps, context.verifier.judge, actor, fields)


class OAuthRoute(Route):
    """A path that takes a form by POST, from a caller who proves who they are."""

    def __init__(self, path: str, handler: Handler, *, door: str) -> None:
        """Serve `path`; metrics count what is judged there under `door`."""
        super().__init__(path, endpoint=self._answer, methods=None, include_in_schema=False)
        self.methods = None
        self._handler = handler
        self._door = door

    async def _answer(self, request: Request) -> Response:
        request.state.route = self.path
        context, presented = context_of(request), None
        try:
            if request.method != "POST":
                raise problems.MethodNotAllowed("POST")
            presented = presented_by(request, context)
            body = await read_body(request)
            hashes = isinstance(presented, Basic) and verifier_credential(presented) is None
            pool = context.hashing if hashes else context.work
            return _response(await pool.run(lambda: self._run(request, presented, body)))
        except Exception as error:  # noqa: BLE001  SECURITY: whatever fails here is an outage, never an answer
            return refusal(request, error, presented)

    def _run(self, request: Request, presented: Presented, body: bytes) -> Answer:
        context = context_of(request)
        actor = request.state.actor = authenticate_caller(context, request, presented)
        require_media_type(request, "application/x-www-form-urlencoded")
        # SECURITY: the body alone is read; a query string ends up in the logs of whatever stands in between.
        answer = self._handler(context, actor, parse_fields(body))
        if answer.result:
            context.metrics.verifications.labels(self._door, answer.result).inc()
            if answer.result != _ACCEPTED:
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
