"""The only error table: how each error is told over HTTP.

Bodies say the same for the same request each time; what differs (a request id, a wait) stands in
headers. Under /v4 they have the reference's form: `{"exception": {"name", "message", "details"}}`.
"""

from dataclasses import dataclass

from gatepass import errors


@dataclass(frozen=True, slots=True)
class Problem:
    """An error on the wire."""

    status: int
    name: str
    message: str


class RouteNotFound(errors.NotFound):
    """No such route, or one of a feature that is off."""

    code = "route-not-found"


class MethodNotAllowed(errors.GatepassError):
    """The route exists, for other methods."""

    code = "method-not-allowed"

    def __init__(self, allowed: str) -> None:
        """Take the value of the `Allow` header."""
        super().__init__(f"this route answers {allowed}")
        self.allowed = allowed


class BodyTooLarge(errors.InvalidInput):
    """The request has more bytes than anybody needs."""

    code = "too-large"


class WrongMediaType(errors.InvalidInput):
    """The body is not of the type this route reads."""

    code = "wrong-media-type"


VALIDATION_FAILED = Problem(400, "ValidationFailed", "Validation failed")
PERSON_MISSING = Problem(401, "MissingPersonException", "Person is missing")
ACCESS_DENIED = Problem(403, "AccessControlException", "Access denied")
ROUTE_NOT_FOUND = Problem(404, "RouteNotFoundException", "Route doesn't exist")
DATA_NOT_FOUND = Problem(404, "DataNotFoundException", "Data not found")
METHOD_NOT_ALLOWED = Problem(405, "MethodNotAllowedException", "Method not allowed")
CONFLICT = Problem(409, "ConflictException", "Conflict")
GONE = Problem(410, "GoneException", "Gone")
BODY_TOO_LARGE = Problem(413, "PayloadTooLargeException", "Request body too large")
WRONG_MEDIA_TYPE = Problem(415, "UnsupportedMediaTypeException", "Unsupported media type")
TOO_MANY_REQUESTS = Problem(429, "TooManyRequestsException", "Too many requests")
UNAVAILABLE = Problem(503, "ServiceUnavailableException", "Service unavailable")

# The most special class of an error decides.
_TABLE: dict[type[errors.GatepassError], Problem] = {
    errors.InvalidInput: VALIDATION_FAILED,
    BodyTooLarge: BODY_TOO_LARGE,
    WrongMediaType: WRONG_MEDIA_TYPE,
    errors.NotAuthenticated: PERSON_MISSING,
    errors.NotAllowed: ACCESS_DENIED,
    RouteNotFound: ROUTE_NOT_FOUND,
    errors.Disabled: ROUTE_NOT_FOUND,
    errors.NotFound: DATA_NOT_FOUND,
    errors.Gone: GONE,
    errors.Conflict: CONFLICT,
    MethodNotAllowed: METHOD_NOT_ALLOWED,
    errors.TooManyRequests: TOO_MANY_REQUESTS,
    errors.TryLater: UNAVAILABLE,
}

_UNAVAILABLE_DETAILS = "A part of the service is out of reach. The same request may succeed soon."


def problem_of(error: Exception) -> Problem:
    """Return how an error is told. Whatever is not known here is an outage, never an answer."""
    for kind in type(error).__mro__:
        if kind in _TABLE:
            return _TABLE[kind]
    return UNAVAILABLE


def details_of(error: Exception) -> str:
    """Return the sentence for the client. Nothing from inside the service gets into it."""
    problem = problem_of(error)
    if problem is UNAVAILABLE:
        return _UNAVAILABLE_DETAILS
    if problem is ROUTE_NOT_FOUND:
        return "There is no such route."
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}." if problem is not VALIDATION_FAILED else text


def headers_of(error: Exception) -> dict[str, str]:
    """Return the headers that belong to an error."""
    if isinstance(error, MethodNotAllowed):
        return {"allow": error.allowed}
    if isinstance(error, errors.TryLater):
        return {"retry-after": str(error.retry_after)}
    if problem_of(error) is UNAVAILABLE:
        return {"retry-after": "1"}
    return {}


def exception_body(error: Exception, *, advice: str = "") -> dict[str, dict[str, str]]:
    """Return the body of an error under /v4. `advice` is what everybody who is not authenticated is told besides."""
    problem = problem_of(error)
    details = details_of(error)
    if advice and problem is PERSON_MISSING:
        details = f"{details} {advice}"
    return {"exception": {"name": problem.name, "message": problem.message, "details": details}}
