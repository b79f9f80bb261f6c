"""What the OAuth doors answer: JSON bodies, and errors in the words of RFC 6749 section 5.2.

Nothing here knows a web framework, so that every listener answers with the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID

import msgspec

from gatepass import errors
from gatepass.server.problems import UNAVAILABLE, headers_of, problem_of


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer on the wire, and what metrics and log hear of the token it is about."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    result: str = ""
    """`accepted` or the true reason of a refusal; empty if no token was judged."""
    token_id: UUID | None = None


class UnauthorizedClient(errors.NotAllowed):
    """The caller is known and may not do this here."""

    code = "unauthorized-client"


class UnsupportedTokenType(errors.InvalidInput):
    """What was presented is nothing that can be revoked here."""

    code = "unsupported-token-type"


def write(content: Mapping[str, Any], **about: Any) -> Answer:
    """Return a 200 with a JSON body. No cache may keep it."""
    return Answer(HTTPStatus.OK, msgspec.json.encode(content), _JSON, **about)


def empty(**about: Any) -> Answer:
    """Return a 200 without a body."""
    return Answer(HTTPStatus.OK, b"", _NO_STORE, **about)


def refused(error: Exception, challenges: str = "") -> Answer:
    """Tell an error. `challenges` is the WWW-Authenticate of a 401."""
    name, status = _name_and_status(error)
    content = {"error": name}
    if isinstance(error, errors.InvalidInput | errors.NotAllowed):
        content["error_description"] = str(error)
    headers = {**_JSON, **headers_of(error)}
    if status == HTTPStatus.UNAUTHORIZED and challenges:
        headers["www-authenticate"] = challenges
    return Answer(status, msgspec.json.encode(content), headers)


def _name_and_status(error: Exception) -> tuple[str, int]:
    problem = problem_of(error)
    if isinstance(error, UnsupportedTokenType):
        return "unsupported_token_type", HTTPStatus.BAD_REQUEST
    if isinstance(error, errors.NotAuthenticated):
        return "invalid_client", HTTPStatus.UNAUTHORIZED
    if isinstance(error, errors.NotAllowed):
        return "unauthorized_client", HTTPStatus.BAD_REQUEST
    # RFC 6749 has no word for too many requests; this one says the same to a client.
    if problem is UNAVAILABLE or isinstance(error, errors.TryLater):
        return "temporarily_unavailable", problem.status
    return "invalid_request", problem.status


_NO_STORE = {"cache-control": "no-store"}
_JSON = {**_NO_STORE, "content-type": "application/json"}
