"""The route table of /v4, and the one way every request of it goes.

A route is a row: method, path, handler and what OpenAPI says of it. Handlers are plain functions
that run in a thread; authentication, parsing of the body and errors happen around them.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gatepass.errors import NotAuthenticated, TooManyRequests
from gatepass.model.actor import Actor, Credential
from gatepass.server import problems
from gatepass.server.authentication import add_challenges, authenticate, presented_by
from gatepass.server.context import Context, context_of
from gatepass.server.credentials import Basic, Cookie, Presented
from gatepass.server.parsing import parse_json, query_of, read_body, require_media_type
from gatepass.services.deps import Deps

B = TypeVar("B")
_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was read and whose actor is known."""

    context: Context
    actor: Actor
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw_body: bytes
    body: Any
    """The parsed body, of the type its route names."""

    @property
    def deps(self) -> Deps:
        """The installation."""
        return self.context.deps


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler returns: a status, a body to be written as JSON, extra headers."""

    body: Any = None
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    later: "Callable[[], Awaitable[Answer]] | None" = None
    """What is answered instead, when that is known. Awaited in the event loop, so that no thread waits."""


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path."""

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    returns: Any = None
    status: HTTPStatus = HTTPStatus.OK
    body: Any = None
    """The msgspec type of the request body, None if there is none."""
    parameters: Sequence[Mapping[str, Any]] = ()
    """Query parameters and headers, as OpenAPI writes them."""
    errors: Sequence[HTTPStatus] = ()
    feature: bool = False
    """Part of the token feature: it does not exist while that is off."""
    counts_as_use: bool = True
    """Whether coming here with a token counts as using it."""
    receipt: Any = None
    """What `Prefer: wait` gets, with 200 in place of the status above; None if there is no such thing."""
    hashes: bool = False
    """Whether the handler hashes a password, whatever the caller came with."""


class ApiRoute(Route):
    """A Starlette route whose literal segments are read without case, with or without a last slash."""

    def __init__(self, path: str, operations: Sequence[Operation]) -> None:
        """Serve the operations of one path."""
        self.operations = {operation.method: operation for operation in operations}
        self._is_feature = any(operation.feature for operation in operations)
        super().__init__(path, endpoint=self._answer, methods=None, include_in_schema=False)
        self.methods = None
        self.path_regex = path_pattern(path)

    async def _answer(self, request: Request) -> Response:
        request.state.route = self.path
        presented: Presented = None
        try:
            if self._is_feature:
                await _require_feature(context_of(request))
            operation = self._operation(request)
            presented = presented_by(request, context_of(request))
            body = await read_body(request)
            return await _run(operation, request, presented, body)
        except Exception as error:  # noqa: BLE001  every error is told by the one table
            return error_response(request, error, presented)

    def _operation(self, request: Request) -> Operation:
        method = "GET" if request.method == "HEAD" else request.method
        if method not in self.operations:
            names = {*self.operations} | ({"HEAD"} if "GET" in self.operations else set())
            raise problems.MethodNotAllowed(", ".join(sorted(names)))
        return self.operations[method]


def path_pattern(path: str) -> re.Pattern[str]:
    """Return what a path of the table matches. Parameters keep their case and are one segment."""
    parts = _PARAMETER.split(path)
    pattern = "".join(
        f"(?P<{part}>[^/]+)" if number % 2 else f"(?ai:{re.escape(part)})" for number, part in enumerate(parts)
    )
    return re.compile(f"\\A{pattern}/?\\Z")


def build_routes(operations: Sequence[Operation]) -> list[BaseRoute]:
    """Return one route for each path."""
    paths = dict.fromkeys(operation.path for operation in operations)
    return [ApiRoute(path, [each for each in operations if each.path == path]) for path in paths]


async def _require_feature(context: Context) -> None:
    def look() -> bool:
        with context.deps.store.read() as tx:
            return tx.settings.load().enabled

    if not await context.glance(look):
        raise problems.RouteNotFound("tokens are switched off")


async def _run(operation: Operation, request: Request, presented: Presented, raw_body: bytes) -> Response:
    context = context_of(request)
    hashes = isinstance(presented, Basic) or operation.hashes

    def work() -> Answer:
        actor = authenticate(context, request, presented)
        request.state.actor = actor
        body = None
        if operation.body is not None:
            require_media_type(request, "application/json")
            body = parse_json(raw_body, operation.body)
        call = Call(context, actor, request.path_params, query_of(request), request.headers, raw_body, body)
        answer = operation.handler(call)
        if operation.counts_as_use and actor.credential is Credential.TOKEN and actor.credential_id:
            context.uses.record(actor.credential_id)  # only now: a refused request is no use
        return answer

    try:
        answer = await (context.hashing if hashes else context.work).run(work)
    except TooManyRequests:
        if hashes:
            context.metrics.hashes_waiting.set(context.hashing.waiting)
        raise
    return write(answer if answer.later is None else await answer.later())


def write(answer: Answer) -> Response:
    """Write an answer as JSON. Nothing of this API may be kept by a cache."""
    content = b"" if answer.body is None else msgspec.json.encode(answer.body)
    headers = {"cache-control": "no-store", **answer.headers}
    if answer.body is not None:
        headers["content-type"] = "application/json"
    return Response(content, answer.status, headers)


def error_response(request: Request, error: Exception, presented: Presented) -> Response:
    """Tell an error as the reference does."""
    problem = problems.problem_of(error)
    request.state.error = error
    body = problems.exception_body(error, advice=context_of(request).first_token_advice)
    answer = Answer(body, HTTPStatus(problem.status), problems.headers_of(error))
    response = write(answer)
    if isinstance(error, NotAuthenticated):
        add_challenges(response, request, presented, with_basic=not isinstance(presented, Cookie))
    return response
