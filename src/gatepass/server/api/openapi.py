"""The OpenAPI document, made from the same tables that the routes are made from."""

import functools
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import gatepass
from gatepass.server import problems
from gatepass.server.api import events, people, settings, shapes, tokens, verifiers
from gatepass.server.api.routing import Operation

OPERATIONS: tuple[Operation, ...] = (
    *tokens.ROUTES,
    *people.ROUTES,
    *settings.ROUTES,
    *events.ROUTES,
    *verifiers.ROUTES,
)
"""Every route under /v4."""

_REFERENCES = "#/components/schemas/{name}"
_DESCRIPTION = """Access tokens for any API.

Send `Authorization: Bearer <token>`, or a user name and password as Basic. Every error has the form
of `ErrorBody`; its `name` is stable."""


@functools.cache
def document() -> dict[str, Any]:
    """Return the document as a dict."""
    types = [kind for each in OPERATIONS for kind in (each.body, each.returns, each.receipt) if _is_struct(kind)]
    types.append(shapes.ErrorBody)
    _, components = msgspec.json.schema_components(types, ref_template=_REFERENCES)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        item = paths.setdefault(operation.path, _path_item(operation.path))
        item[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Gatepass", "version": gatepass.__version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": _as_30(dict(components)),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{"bearer": []}, {"basic": []}],
    }


def _as_30(schema: Any) -> Any:
    """Write JSON Schema as OpenAPI 3.0 has it: `nullable` for null, one `example`.

    3.0 on purpose: there `1.0` is no integer, and it is none to us either.
    """
    if isinstance(schema, list):
        return [_as_30(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _as_30(value) for key, value in schema.items() if key not in {"anyOf", "examples"}}
    kinds = schema.get("anyOf", [])
    others = [_as_30(kind) for kind in kinds if kind != {"type": "null"}]
    if len(others) < len(kinds):
        found["nullable"] = True
    if len(others) == 1:
        found |= others[0]
    elif others:
        found["anyOf"] = others
    if "examples" in schema:
        found["example"] = schema["examples"][0]
    return found


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _path_item(path: str) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", path)
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
            for name in names
        ]
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{operation.tag}.{operation.handler.__name__.strip('_')}",
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": list(operation.parameters),
        "responses": _responses(operation),
    }
    if operation.body is not None:
        schema = _schema(operation.body) if _is_struct(operation.body) else settings.SETTINGS_SCHEMA
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": operation.status.phrase}
    if operation.returns is not None:
        good["content"] = {"application/json": {"schema": _schema(operation.returns)}}
    if operation.receipt is not None:
        waited = {"description": "The receipt", "content": {"application/json": {"schema": _schema(operation.receipt)}}}
        return {"200": waited, str(operation.status.value): good} | _errors(operation)
    return {str(operation.status.value): good} | _errors(operation)


def _errors(operation: Operation) -> dict[str, Any]:
    return {str(status): _error(status) for status in sorted({*_common_errors(operation), *operation.errors})}


def _common_errors(operation: Operation) -> Sequence[HTTPStatus]:
    found = [
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ]
    return [*found, HTTPStatus.UNSUPPORTED_MEDIA_TYPE] if operation.body is not None else found


def _error(status: HTTPStatus) -> dict[str, Any]:
    names = [
        problem.name
        for problem in vars(problems).values()
        if isinstance(problem, problems.Problem) and problem.status == status
    ]
    described: dict[str, Any] = {
        "description": " or ".join(names),
        "content": {"application/json": {"schema": {"$ref": _REFERENCES.format(name="ErrorBody")}}},
    }
    text = {"schema": {"type": "string"}}
    headers: Mapping[HTTPStatus, str] = {
        HTTPStatus.UNAUTHORIZED: "WWW-Authenticate",
        HTTPStatus.METHOD_NOT_ALLOWED: "Allow",
        HTTPStatus.TOO_MANY_REQUESTS: "Retry-After",
        HTTPStatus.SERVICE_UNAVAILABLE: "Retry-After",
    }
    return described | ({"headers": {headers[status]: text}} if status in headers else {})


def _schema(kind: Any) -> dict[str, Any]:
    return {"$ref": _REFERENCES.format(name=kind.__name__)} if _is_struct(kind) else kind


async def show(request: Request) -> Response:
    """Return the document."""
    request.state.route = "/openapi.json"
    return Response(msgspec.json.encode(document()), media_type="application/json")


ROUTES = (Route("/openapi.json", show),)
