"""What SCIM says of errors (RFC 7644, 3.12): the kinds of a 400, and the body of each error."""

from typing import Any

from gatepass import errors
from gatepass.server.problems import VALIDATION_FAILED, details_of, problem_of

SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"


class InvalidSyntax(errors.InvalidInput):
    """The request is no SCIM request."""

    code = "invalid-syntax"


class InvalidFilter(errors.InvalidInput):
    """The filter is none that is understood here."""

    code = "invalid-filter"


class InvalidPath(errors.InvalidInput):
    """The path of an operation names nothing that a person has."""

    code = "invalid-path"


class NoTarget(errors.InvalidInput):
    """An operation says nothing of what it is about."""

    code = "no-target"


_TYPES: dict[type[errors.GatepassError], str] = {
    InvalidSyntax: "invalidSyntax",
    InvalidFilter: "invalidFilter",
    InvalidPath: "invalidPath",
    NoTarget: "noTarget",
    errors.Immutable: "mutability",
    errors.NotUnique: "uniqueness",
}


def error_body(error: Exception) -> dict[str, Any]:
    """Return the body of an error. Nothing of it depends on what a stranger may not learn."""
    problem = problem_of(error)
    body: dict[str, Any] = {"schemas": [SCHEMA], "status": str(problem.status)}
    kind = next((each for of, each in _TYPES.items() if isinstance(error, of)), None)
    if kind is None and problem is VALIDATION_FAILED:
        kind = "invalidValue"
    return body | ({"scimType": kind} if kind else {}) | {"detail": details_of(error)}
