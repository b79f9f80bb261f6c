"""The route table of /scim/v2, and the one way every request of it goes. It is there only where a directory pushes."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gatepass.errors import InvalidInput, NotAuthenticated
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.actor import Actor, Credential
from gatepass.server import problems
from gatepass.server.authentication import add_challenges, presented_by
from gatepass.server.context import Context, context_of
from gatepass.server.credentials import Bearer, Presented
from gatepass.server.log import get_logger
from gatepass.server.parsing import parse_json, query_of, read_body
from gatepass.server.scim import discovery, users
from gatepass.server.scim.call import Answer, Call, Handler
from gatepass.server.scim.filtering import read_selection
from gatepass.server.scim.people import USERS
from gatepass.server.scim.problems import InvalidSyntax, error_body
from gatepass.services.check_push_credential import check_push_credential
from gatepass.services.deps import Deps

PREFIX = "/scim/"
_TYPE = "application/scim+json"
_TAKEN = frozenset({_TYPE, "application/json"})
_BODIED = frozenset({"POST", "PUT", "PATCH"})
_log = get_logger(__name__)


def is_on(deps: Deps) -> bool:
    """Tell whether any directory pushes its people."""
    return any(each.push_digests for each in deps.providers.values())


def build_routes(deps: Deps) -> Sequence[BaseRoute]:
    """Return the routes; none if no directory pushes."""
    return [ScimRoute(path, handlers) for path, handlers in _HANDLERS.items()] if is_on(deps) else []


class ScimRoute(Route):
    """A path with a handler for each method, for directories alone."""

    def __init__(self, path: str, handlers: Mapping[str, Handler]) -> None:
        """Serve `path`, whatever the method: one without a handler is told as an error."""
        super().__init__(path, endpoint=self._respond, methods=None, include_in_schema=False)
        self.methods = None
        self._handlers = handlers

    async def _respond(self, request: Request) -> Response:
        request.state.route = self.path
        context, presented = context_of(request), None
        try:
            if request.method not in self._handlers:
                raise problems.MethodNotAllowed(", ".join(sorted(self._handlers)))
            presented = presented_by(request, context)
            raw = await read_body(request)
            handler = self._handlers[request.method]
            return _write(await context.work.run(lambda: handler(_read(request, presented, raw))))
        except Exception as error:  # noqa: BLE001  SECURITY: whatever fails here is an outage, never an answer
            return refusal(request, error, presented)


def _read(request: Request, presented: Presented, raw: bytes) -> Call:
    context = context_of(request)
    # SECURITY: who asks comes first; a stranger hears the same whatever else is wrong.
    configured = _pushing(context, request, presented)
    actor = Actor(
        Credential.PROVIDER,
        provider=configured.id,
        address=context.address_of(request),
        request_id=request.state.request_id,
    )
    request.state.actor = actor
    body = _body(request, raw) if request.method in _BODIED else {}
    query = query_of(request)
    return Call(context, actor, configured, request.path_params, query, read_selection(query), body)


def _pushing(context: Context, request: Request, presented: Presented) -> ConfiguredProvider:
    """Return whose directory asks, or raise NotAuthenticated or TooManyRequests."""
    found = check_push_credential(context.deps, presented.text) if isinstance(presented, Bearer) else None
    if found is None:
        address = context.address_of(request)
        context.metrics.sign_ins.labels("scim", "refused").inc()
        _log.info("directory refused", address=address, request_id=request.state.request_id)
        if presented is not None:
            context.probes.count(address)
        raise NotAuthenticated
    return found


def _body(request: Request, raw: bytes) -> Mapping[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _TAKEN:
        raise problems.WrongMediaType("Content-Type", f"must be {_TYPE}")
    try:
        return parse_json(raw, dict[str, Any])
    except InvalidInput as error:
        raise InvalidSyntax(error.field, error.reason) from None


def refusal(request: Request, error: Exception, presented: Presented) -> Response:
    """Tell an error as SCIM does."""
    request.state.error = error
    status = HTTPStatus(problems.problem_of(error).status)
    response = _write(Answer(error_body(error), status, problems.headers_of(error)))
    if isinstance(error, NotAuthenticated):
        add_challenges(response, request, presented, with_basic=False)
    return response


def _write(answer: Answer) -> Response:
    headers = {"cache-control": "no-store", **answer.headers}
    if answer.body is None:
        return Response(b"", answer.status, headers)
    return Response(msgspec.json.encode(answer.body), answer.status, {**headers, "content-type": _TYPE})


_HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    USERS: {"GET": users.list_users, "POST": users.create},
    USERS + "/{id}": {"GET": users.get, "PUT": users.replace, "PATCH": users.patch, "DELETE": users.delete},
    "/scim/v2/Groups": {"GET": users.list_groups},
    discovery.CONFIG: {"GET": discovery.get_config},
    discovery.TYPES: {"GET": discovery.list_types},
    discovery.TYPES + "/{id}": {"GET": discovery.get_type},
    discovery.SCHEMAS: {"GET": discovery.list_schemas},
    discovery.SCHEMAS + "/{id}": {"GET": discovery.get_schema},
}
