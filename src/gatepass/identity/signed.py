"""Signed assertions of others (JWT, RFC 7519): whose signature, with which key, for whom, and when.

Keys come from the issuer's own address alone: what a token says of keys (`jwk`, `jku`, `x5u`, `x5c`) is not read.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.identity.fetching import Kept
from gatepass.interfaces import Clock
from gatepass.model.identity import SUBJECT_LENGTH, NotProven, printable

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""What a signature may be. SECURITY: no HMAC, whose key would be public, and no `none`."""
SKEW = timedelta(seconds=60)
"""How far the clock of the provider may be off."""
_MOST_CHARACTERS = 32 * 1024
_MOST_KEYS = 100
_TEXT_LENGTH = 1000
_END_OF_TIME = 10**11
"""Seconds; the year 5138."""
_RSA_CHARACTERS = 342
"""What the modulus of 2,048 bits has in base64; shorter keys are not believed."""
_KEYS_LIFETIME = timedelta(hours=1)
"""After this long a key that the issuer withdrew is not believed any more."""
_KINDS: Mapping[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_FITTING = {"RS256": ("RSA", None), "PS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
"""Algorithm to the type and the curve of its keys."""

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signed:
    """A token whose signature is right. Nothing is known yet of whom it is for."""

    algorithm: str
    type: str | None
    """What it says it is (`typ`), in lower case."""
    claims: Claims


@dataclass(frozen=True, slots=True)
class _Key:
    id: str | None
    algorithm: str | None
    type: str
    curve: str | None
    key: Any

    def fits(self, algorithm: str) -> bool:
        kind, curve = _FITTING[algorithm]
        return self.type == kind and self.curve == curve and self.algorithm in {None, algorithm}


class Keys:
    """The keys of one issuer (JWKS, RFC 7517), fetched when they are needed."""

    def __init__(self, load: Callable[[], Any], clock: Clock) -> None:
        """`load` returns the key set as it came; it raises Unavailable."""
        self._kept = Kept(lambda: _read_keys(load()), clock, lifetime=_KEYS_LIFETIME)

    def find(self, key_id: object, algorithm: str) -> Any:
        """Return the key of that id for that algorithm; without an id, the only one that fits.

        A key that is not known is looked for once more at the issuer, at most once a minute. Raises NotProven,
        and Unavailable.
        """
        found = _choose(self._kept.get(), key_id, algorithm) or _choose(self._kept.get_anew(), key_id, algorithm)
        if found is None:
            raise NotProven("signed with a key that the issuer does not publish")
        return found

    def require(self) -> None:
        """Raise Unavailable unless there is a key that a signature could be checked with."""
        if not self._kept.get():
            raise Unavailable("the identity provider publishes no key that can be used")


def _choose(keys: Sequence[_Key], key_id: object, algorithm: str) -> Any:
    fitting = [each.key for each in keys if each.fits(algorithm) and key_id in {None, each.id}]
    return fitting[0] if len(fitting) == 1 else None


def _read_keys(key_set: Any) -> Sequence[_Key]:
    """Return the keys of a set that can check a signature; others are passed over."""
    listed = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise Unavailable("the identity provider publishes no key set")
    read = [_read_key(each) for each in listed if isinstance(each, dict) and each.get("use", "sig") == "sig"]
    return [each for each in read if each is not None]


def _read_key(given: Mapping[str, Any]) -> _Key | None:
    kind, curve = given.get("kty"), given.get("crv")
    if not isinstance(kind, str) or kind not in _KINDS:
        return None
    # Only what makes up a public key of its type: some libraries stumble over what else a set says of it.
    names = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}[kind]
    if kind == "RSA" and len(str(given.get("n"))) < _RSA_CHARACTERS:
        return None
    try:
        key = _KINDS[kind].import_key({name: given[name] for name in names})
    except (JoseError, KeyError, TypeError, ValueError):
        return None
    key_id, algorithm = given.get("kid"), given.get("alg")
    return _Key(
        key_id if isinstance(key_id, str) else None,
        algorithm if isinstance(algorithm, str) else None,
        kind,
        curve if isinstance(curve, str) and kind != "RSA" else None,
        key,
    )


class _Registry(jws.JWSRegistry):
    """As the library has it, for longer tokens: groups make them long."""

    max_header_length = 8 * 1024
    max_payload_length = _MOST_CHARACTERS
    max_signature_length = 2 * 1024

    def get_alg(self, name: str) -> Any:
        """Return the one algorithm that is allowed: no warning, as the library has for EdDSA, and no choice."""
        if self.allowed != [name]:
            raise NotProven("signed with an algorithm that is not allowed")
        return self.algorithms[name]


def read_signed(text: object, keys: Keys, *, algorithms: Collection[str] = ALGORITHMS) -> Signed:
    """Check the signature of a token in compact form. Raises NotProven, and Unavailable if keys are out of reach."""
    if not isinstance(text, str) or not text.isascii() or len(text) > _MOST_CHARACTERS:
        raise NotProven("not a signed token")
    header = _object(text.partition(".")[0])
    algorithm = header.get("alg")
    # SECURITY: decided here, before any key is looked at.
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in ALGORITHMS:
        raise NotProven("signed with an algorithm that is not allowed")
    if "crit" in header or "b64" in header or "zip" in header:
        raise NotProven("the token says something of itself that is not understood")
    key_id = header.get("kid")
    if not isinstance(key_id, str | None):
        raise NotProven("the id of the key is no text")
    key = keys.find(key_id, algorithm)
    try:
        registry = _Registry(algorithms=[algorithm], strict_check_header=False)
        checked = jws.deserialize_compact(text, key, algorithms=[algorithm], registry=registry)
        claims = json.loads(checked.payload or b"")
    except (JoseError, ValueError, TypeError, RecursionError):
        raise NotProven("the signature is wrong") from None
    if not isinstance(claims, dict):
        raise NotProven("the token says nothing")
    kind = header.get("typ")
    return Signed(algorithm, kind.lower() if isinstance(kind, str) else None, claims)


def _object(part: str) -> Claims:
    try:
        found = json.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotProven("not a signed token")
    return found


def check_issuer(claims: Claims, issuer: str) -> None:
    """Raise NotProven unless it is of this issuer, to the letter."""
    if claims.get("iss") != issuer:
        raise NotProven("of another issuer")


def check_audience(claims: Claims, audience: str, *, party: bool = True) -> None:
    """Raise NotProven unless it is for this audience.

    With `party` that is a client: the authorised party is nobody else, and is named if there are several audiences.
    """
    given = claims.get("aud")
    several = given if isinstance(given, list) else [given]
    if audience not in several or not all(isinstance(each, str) for each in several):
        raise NotProven("for another audience")
    authorised = claims.get("azp")
    if party and (authorised is not None or len(several) > 1) and authorised != audience:
        raise NotProven("another client is the authorised party")


def check_times(claims: Claims, now: datetime) -> datetime:
    """Raise NotProven unless it holds at this time. Returns when it ends, skew included."""
    ends, issued = instant_in(claims, "exp"), instant_in(claims, "iat")
    if ends is None or issued is None:
        raise NotProven("without a time")
    if now >= ends + SKEW:
        raise NotProven("over")
    begins = instant_in(claims, "nbf")
    if issued > now + SKEW or (begins is not None and begins > now + SKEW):
        raise NotProven("from the future")
    return ends + SKEW


def instant_in(claims: Claims, name: str) -> datetime | None:
    """Return an instant among claims, None if it is not there. Raises NotProven for what is none."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotProven("a time is no number")
    if not 0 <= value < _END_OF_TIME:
        raise NotProven("a time is out of bounds")
    return datetime.fromtimestamp(value, UTC)


def sub_in(claims: Claims, name: str = "sub") -> str:
    """Return the `sub`, or another claim in its place. Raises NotProven if there is none that can be kept."""
    found = claims.get(name)
    if not isinstance(found, str) or not found or len(found) > SUBJECT_LENGTH or not found.isprintable():
        raise NotProven("without a subject")
    return found


def subject_of(issuer: str, sub: str) -> str:
    """Return the key of a person: the `sub` and the issuer, or their hash where that would be too long."""
    # A space stands in no issuer, so the last one ends the `sub`.
    text = f"{sub} {issuer}"
    return text if len(text) <= SUBJECT_LENGTH else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def external_id_of(issuer: str, subject: str) -> str | None:
    """Return the `sub` in the key of a person; None if the key is a hash."""
    sub = subject.removesuffix(f" {issuer}")
    return sub if sub != subject else None


def claim_at(claims: Claims, name: str) -> object:
    """Return a claim, by its whole name or by its way through objects."""
    if name in claims:
        return claims[name]
    found: object = claims
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def text_in(claims: Claims, name: str) -> str | None:
    """Return a claim that is one line of text; None if it is not."""
    found = claims.get(name)
    return found[:_TEXT_LENGTH] if isinstance(found, str) and found and found.isprintable() else None


def texts_of(value: object) -> frozenset[str]:
    """Return the names in a claim that is a list of texts, or one text."""
    several = [value] if isinstance(value, str) else value
    return printable(each for each in several if isinstance(each, str)) if isinstance(several, list) else frozenset()


def is_equal(given: object, expected: str) -> bool:
    """Compare in constant time; nothing equals an empty text."""
    if not isinstance(given, str) or not expected:
        return False
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def check_algorithms(names: Sequence[str], *, key: str) -> None:
    """Raise BadConfiguration naming `key` unless all are ones that this can check."""
    if not names or not set(names) <= set(ALGORITHMS):
        raise BadConfiguration(key, f"must be some of {', '.join(ALGORITHMS)}, not {', '.join(names)!r}")
