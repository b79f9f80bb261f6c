"""What `/verify` answers: the one source of it, for every door that speaks HTTP.

Bodies are empty (one would cost nginx the connection), and on 200 every identity header is sent even
when it is empty (some gateways would let the client's own through).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from gatepass.errors import TryLater
from gatepass.model.instant import iso
from gatepass.model.verdict import Accepted, Reason, Verdict
from gatepass.verifier.requirements import Requirements

BEARER_CHALLENGE = 'Bearer realm="gatepass"'
BASIC_CHALLENGE = 'Basic realm="gatepass", charset="UTF-8"'
REQUEST_ID = re.compile(r"\A[A-Za-z0-9._-]{1,64}\Z")
"""The form in which a request's own id is kept."""
_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
ALWAYS = {"content-length": "0", "cache-control": "no-store"}
"""Headers of every answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with the headers that belong to it; the body is empty."""

    status: int
    headers: Mapping[str, str]

    @property
    def head(self) -> bytes:
        """The HTTP/1.1 header block without the empty line that ends it, so that more can follow."""
        return _status_line(self.status) + header_lines(ALWAYS) + header_lines(self.headers)


def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode("ascii")


def header_lines(headers: Mapping[str, str]) -> bytes:
    """Return header lines of HTTP/1.1, each with its end."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")


def answer_to(verdict: Verdict | None, demanded: Requirements | None = None) -> Answer:
    """Return the answer to a request; `verdict` is None if it came without one usable token.

    `demanded` is named in the challenge of a token that lacks a scope; None if it could not be read.
    """
    if verdict is None:
        return Answer(401, {"www-authenticate": bearer_challenge(rejected=False)})
    if isinstance(verdict, Accepted):
        return Answer(200, identity_headers(verdict))
    if verdict.reason is Reason.SCOPE:
        named = f', scope="{" ".join(demanded.scopes)}"' if demanded else ""
        return Answer(403, {"www-authenticate": f'{BEARER_CHALLENGE}, error="insufficient_scope"{named}'})
    return Answer(401, {"www-authenticate": bearer_challenge(rejected=True)})


def outage(error: Exception | None = None) -> Answer:
    """Return the answer where it cannot be known: whatever failed, that is never a verdict."""
    seconds = error.retry_after if isinstance(error, TryLater) else 1
    return Answer(503, {"retry-after": str(seconds)})


def bearer_challenge(*, rejected: bool) -> str:
    """Return the challenge of a 401 (RFC 6750, section 3); `rejected`: a token was sent and refused."""
    return BEARER_CHALLENGE + (', error="invalid_token"' if rejected else "")


def identity_headers(verdict: Accepted) -> dict[str, str]:
    """Return what the gateway may pass on. Values are printable ASCII, others percent-encoded."""
    return {
        "x-gatepass-user": quote(verdict.owner_name, safe=_PRINTABLE),
        "x-gatepass-user-id": str(verdict.owner_id),
        "x-gatepass-token-id": str(verdict.token_id),
        "x-gatepass-scopes": verdict.rights.scope,
        "x-gatepass-expires": iso(verdict.expires_at) if verdict.expires_at else "",
        "x-gatepass-assertion": "",
    }
