"""Introspection (RFC 7662): what a token is, told to whom it concerns.

The one source of what the answer is, for every listener: it knows no web framework and no store.
Errors are raised; `answers.refused` tells them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gatepass.errors import InvalidInput
from gatepass.model.instant import to_milliseconds
from gatepass.model.network import Address, parse_address
from gatepass.model.presented import PresentedToken, parse_token
from gatepass.model.rights import Rights, check_audience
from gatepass.model.scope import check_scopes
from gatepass.model.secret import instant_of
from gatepass.model.verdict import Accepted, Reason, Verdict
from gatepass.server.oauth.answers import Answer, write
from gatepass.verifier.requirements import Requirements, find_refusal

Judge = Callable[[PresentedToken], Verdict]
"""Judges a token at this moment; raises Unavailable if that cannot be known."""

_DIGEST = re.compile(r"\A[0-9a-f]{64}\Z", re.ASCII)
_ID = re.compile(r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII)
_INACTIVE = {"active": False}
NOT_THEIRS = "not-theirs"
"""What log and metrics hear of a good token that the caller may not see."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks, authenticated already."""

    is_verifier: bool
    may_see: Callable[[UUID], bool]
    """Whether the tokens of this owner are theirs to see."""


def introspect(judge: Judge, caller: Caller, fields: Mapping[str, str], *, issuer: str) -> Answer:
    """Answer one question about one token.

    `fields` are those of the form, `issuer` is the public URL. Raises InvalidInput for a question
    that cannot be read, and whatever `judge` and `caller.may_see` raise.
    """
    # RFC 6749 section 3.2: a parameter without a value counts as left out.
    given = {name: value for name, value in fields.items() if value}
    presented, asked = _presented(given, caller), _requirements(given)
    if presented is None:
        return write(_INACTIVE, result=Reason.MALFORMED.value)
    verdict = judge(presented)
    if not isinstance(verdict, Accepted):
        return write(_INACTIVE, result=verdict.reason.value, token_id=verdict.token_id)
    if not caller.may_see(verdict.owner_id):
        return write(_INACTIVE, result=NOT_THEIRS, token_id=verdict.token_id)
    refusal = find_refusal(_as_asked(verdict, asked), asked)
    if refusal is not None:
        return write(_INACTIVE, result=refusal.value, token_id=verdict.token_id)
    return write(introspection_of(verdict, issuer=issuer), result="accepted", token_id=verdict.token_id)


def introspection_of(accepted: Accepted, *, issuer: str) -> dict[str, Any]:
    """Return the body for a good token, its members always in this order.

    Whoever gets it without having told `audience` or `client_address` must itself hold `aud` and
    `allowed_networks` against the request.
    """
    rights, issued_at = accepted.rights, instant_of(accepted.token_id)
    body: dict[str, Any] = {
        "active": True,
        "token_type": "Bearer",
        "scope": rights.scope,
        "sub": str(accepted.owner_id),
        "username": accepted.owner_name,
        "jti": str(accepted.token_id),
    }
    if accepted.expires_at is not None:
        # Rounded down: nobody may take the token for good after its end.
        body["exp"] = to_milliseconds(accepted.expires_at) // 1000
    if issued_at is not None:
        body["iat"] = to_milliseconds(issued_at) // 1000
    if rights.audience is not None:
        body["aud"] = list(rights.audience)
    body["iss"] = issuer
    if rights.networks is not None:
        body["allowed_networks"] = [str(network) for network in rights.networks]
    return body


def _presented(given: Mapping[str, str], caller: Caller) -> PresentedToken | None:
    """Read which token is meant; None for text that is no token."""
    by_digest = {"token_id", "token_digest"} & given.keys()
    if by_digest and not caller.is_verifier:
        # SECURITY: a digest is no credential: only who is trusted with tokens anyway may ask with one.
        raise InvalidInput("token_digest", "is taken from registered verifiers only")
    if "token" in given:
        if by_digest:
            raise InvalidInput("token", "must not be sent together with token_id and token_digest")
        return parse_token(given["token"])
    if not by_digest:
        raise InvalidInput("token", "is required")
    if not _ID.match(given.get("token_id", "")):
        raise InvalidInput("token_id", "must be a token id, as a dashed lower-case UUID, beside token_digest")
    if not _DIGEST.match(given.get("token_digest", "")):
        raise InvalidInput("token_digest", "must be a SHA-256 in 64 lower-case hexadecimal digits, beside token_id")
    return PresentedToken(UUID(given["token_id"]), bytes.fromhex(given["token_digest"]))


def _requirements(given: Mapping[str, str]) -> Requirements:
    """Read what the request that the caller got requires. What was sent is never repeated in an error."""
    try:
        scopes = check_scopes(given["scope"].split(" ")) if "scope" in given else ()
    except InvalidInput:
        raise InvalidInput("scope", "must be scopes as noun:verb, with single spaces between them") from None
    try:
        audience = check_audience([given["audience"]])[0] if "audience" in given else None
    except InvalidInput:
        raise InvalidInput("audience", "must be the name of one service, without spaces") from None
    return Requirements(scopes, audience, _client(given))


def _client(given: Mapping[str, str]) -> Address | None:
    address = parse_address(given.get("client_address"))
    if address is None and "client_address" in given:
        raise InvalidInput("client_address", "must be an IPv4 or IPv6 address")
    return address


def _as_asked(accepted: Accepted, asked: Requirements) -> Accepted:
    """Leave out the restrictions that were not asked about: the caller gets them in the answer."""
    rights = accepted.rights
    asked_about = Rights(
        rights.scopes,
        None if asked.client is None else rights.networks,
        None if asked.audience is None else rights.audience,
    )
    return Accepted(accepted.token_id, accepted.owner_id, accepted.owner_name, accepted.expires_at, asked_about)
