"""What an id token must say, what a logout token must say, and whom they are about."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from gatepass.identity.oidc.options import Options
from gatepass.identity.signed import (
    SKEW,
    Claims,
    Signed,
    check_audience,
    check_issuer,
    check_times,
    claim_at,
    instant_in,
    is_equal,
    sub_in,
    subject_of,
    text_in,
    texts_of,
)
from gatepass.model.identity import Identity, NotProven

_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
_REFERENCE_LENGTH = 255
_ID_TOKEN_TYPES = frozenset({None, "jwt"})
_LOGOUT_TOKEN_TYPES = frozenset({None, "jwt", "logout+jwt", "application/logout+jwt"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What an id token must be about."""

    nonce: str
    access_token: str
    """What came with it."""
    now: datetime
    max_age_seconds: int = 0


def check_id_token(token: Signed, options: Options, expected: Expected) -> str:
    """Return the `sub` of an id token (OpenID Connect Core, 3.1.3.7). Raises NotProven."""
    claims = token.claims
    if token.type not in _ID_TOKEN_TYPES or "events" in claims:
        raise NotProven("another kind of token")
    check_issuer(claims, options.issuer)
    check_audience(claims, options.client_id)
    check_times(claims, expected.now)
    if not is_equal(claims.get("nonce"), expected.nonce):
        raise NotProven("for another sign-in")
    if "at_hash" in claims and not is_equal(claims["at_hash"], _hash(expected.access_token, token.algorithm)):
        raise NotProven("for another access token")
    if expected.max_age_seconds:
        typed_at = instant_in(claims, "auth_time")
        if typed_at is None or expected.now - typed_at > timedelta(seconds=expected.max_age_seconds) + SKEW:
            raise NotProven("they proved who they are too long ago")
    return sub_in(claims)


def check_logout_token(token: Signed, options: Options, now: datetime) -> tuple[str, datetime]:
    """Return the id of a logout token and when it ends (Back-Channel Logout 1.0, 2.6). Raises NotProven."""
    claims = token.claims
    events = claims.get("events")
    if (
        token.type not in _LOGOUT_TOKEN_TYPES
        or not isinstance(events, dict)
        or not isinstance(events.get(_LOGOUT), dict)
    ):
        raise NotProven("no logout token")
    if "nonce" in claims:
        raise NotProven("an id token made into a logout token")
    check_issuer(claims, options.issuer)
    check_audience(claims, options.client_id)
    ends = check_times(claims, now)
    token_id = claims.get("jti")
    if not isinstance(token_id, str) or not token_id:
        raise NotProven("a logout token without an id")
    return token_id, ends


def session_of(claims: Claims) -> str | None:
    """Return what the provider calls this sign-in (`sid`)."""
    found = claims.get("sid")
    return found if isinstance(found, str) and 0 < len(found) <= _REFERENCE_LENGTH else None


def lacks(claims: Claims, options: Options) -> bool:
    """Tell whether the provider has to be asked for something that is not in the id token."""
    return claim_at(claims, options.groups_claim) is None or "email" not in claims or "name" not in claims


def identity_of(claims: Claims, userinfo: Claims, options: Options, provider_id: str) -> Identity:
    """Return who it is. What the id token says goes before what the provider was asked for. Raises NotProven."""
    sub = sub_in(claims)
    if userinfo and userinfo.get("sub") != sub:
        # SECURITY: Core, 5.3.2: an access token that was swapped tells of somebody else.
        raise NotProven("the provider told of somebody else")
    told = {**userinfo, **claims}
    # SECURITY: an address is vouched for by whoever told it, so both come from one place.
    contact = claims if "email" in claims else userinfo
    return Identity(
        provider=provider_id,
        subject=subject_of(options.issuer, sub_in(claims, options.subject_claim)),
        login=text_in(told, "preferred_username") or text_in(contact, "email") or sub,
        name=text_in(told, "name"),
        email=text_in(contact, "email"),
        email_verified=contact.get("email_verified") is True,
        groups=_groups(told, options.groups_claim),
        reference=session_of(claims),
    )


def _groups(told: Claims, name: str) -> frozenset[str]:
    found = claim_at(told, name)
    elsewhere = told.get("_claim_names")
    if found is None and isinstance(elsewhere, dict) and name in elsewhere:
        # SECURITY: read as none, a person in very many groups would count as one who lost them all.
        raise NotProven("too many groups for a token; tell the provider to send fewer")
    return texts_of(found)


def _hash(access_token: str, algorithm: str) -> str:
    """Return the left half of the hash of an access token, by the hash of the signature (Core, 3.1.3.6)."""
    name = "sha512" if algorithm == "EdDSA" else "sha256"
    digest = hashlib.new(name, access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
