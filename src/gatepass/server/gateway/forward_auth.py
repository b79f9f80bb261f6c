"""Forward auth: `/verify` for nginx, Caddy, Traefik, Envoy and others, in the server itself.

200 with identity headers, 401 for everything that is not an accepted token, 403 for one that lacks
a scope that is demanded, 503 when that cannot be known. What an answer is stands in
`verifier/answer.py`, for the listener too.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatepass.errors import InvalidInput, TooManyRequests, Unavailable
from gatepass.model.secret import Secret
from gatepass.model.verdict import Accepted, Verdict
from gatepass.server.authentication import judge, presented_by
from gatepass.server.context import Context, context_of
from gatepass.server.credentials import Bearer
from gatepass.server.problems import headers_of, problem_of
from gatepass.verifier.answer import ALWAYS, Answer, answer_to
from gatepass.verifier.requirements import Requirements, read_requirements

_EXACT = "/verify"


async def verify(request: Request) -> Response:
    """Judge the bearer token of a forwarded request, in the event loop where that takes microseconds."""
    request.state.route = "/verify"
    context = context_of(request)
    verdict, demanded = None, None
    try:
        presented = presented_by(request, context)
        demanded = read_requirements(
            request.scope["query_string"],
            client=context.client_of(request),
            # SECURITY: below /verify/ some gateways append the client's own query. It may add to the scopes
            # demanded, but never say for which service the token has to be meant.
            names_audience=request.scope["path"] == _EXACT,
        )
        if isinstance(presented, Bearer):
            verdict = await _judged(context, request, presented.text, demanded)
    except InvalidInput:
        verdict = None
    except Exception as error:  # noqa: BLE001  SECURITY: whatever fails here is an outage, never a verdict
        return refusal(request, error)
    if isinstance(verdict, Accepted):
        context.uses.record(verdict.token_id)
    return _written(answer_to(verdict, demanded))


async def _judged(context: Context, request: Request, text: Secret, demanded: Requirements | None) -> Verdict:
    """Judge a token without blocking the event loop."""

    def work() -> Verdict:
        return judge(context, request, text, demanded, door="verify")

    if context.deps.store.answers_inline or context.verifier.recall(text.reveal().encode(errors="replace")):
        return work()
    try:
        return await context.looking.run(work)
    except TooManyRequests:
        raise Unavailable("too many look-ups are under way") from None


def refusal(request: Request, error: Exception) -> Response:
    """Answer that it cannot be known, or that there is no such route."""
    request.state.error = error
    return _written(Answer(problem_of(error).status, headers_of(error)))


def _written(answer: Answer) -> Response:
    return Response(b"", answer.status, {**ALWAYS, **answer.headers})


def _any_method(path: str) -> Route:
    route = Route(path, verify)
    route.methods = None
    return route


ROUTES = (_any_method("/verify"), _any_method("/verify/{path:path}"))
