"""What an identity provider says of itself: its name, where people sign in, and the certificates it signs with.

SECURITY: nothing else is read of metadata, so that they can switch nothing off.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from gatepass.identity.saml.assertion import instant
from gatepass.identity.saml.document import read_metadata_document
from gatepass.identity.saml.names import DSIG, METADATA, PROTOCOL, REDIRECT, NotProven

MOST_METADATA_BYTES = 1024 * 1024
_NS = {"md": METADATA, "ds": DSIG}
_MOST_CERTIFICATES = 10
_LEAST_RSA_BITS, _LEAST_EC_BITS = 2048, 256
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Idp:
    """An identity provider."""

    entity_id: str
    sign_in_url: str
    """Where a request is sent, with a query."""
    certificates: tuple[str, ...]
    """PEM; any of them may have signed, while it is in date."""
    certificates_end_at: datetime
    """When the last of them runs out."""
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class _Certificate:
    pem: str
    ends_at: datetime


def read_idp(raw: bytes, *, entity_id: str, now: datetime) -> Idp:
    """Read metadata of one identity provider, or of several of which `entity_id` names one. Raises NotProven."""
    root = read_metadata_document(raw, most=MOST_METADATA_BYTES).root
    descriptor = _descriptor(root, entity_id)
    role = descriptor.find("md:IDPSSODescriptor", _NS)
    ends = [instant(each.get("validUntil")) for each in (root, descriptor, role) if each.get("validUntil")]
    if ends and min(ends) <= now:
        raise NotProven(f"were valid until {min(ends):%Y-%m-%d}")
    certificates = _certificates(role)
    return Idp(
        entity_id=descriptor.get("entityID"),
        sign_in_url=_sign_in_url(role),
        certificates=tuple(each.pem for each in certificates),
        certificates_end_at=max(each.ends_at for each in certificates),
        valid_until=min(ends, default=None),
    )


def _descriptor(root: Any, entity_id: str) -> Any:
    all_of_them = [root, *root.iterfind(".//md:EntityDescriptor", _NS)]
    found = [
        each
        for each in all_of_them
        if each.tag == f"{{{METADATA}}}EntityDescriptor"
        and each.get("entityID")
        and [PROTOCOL in role.get("protocolSupportEnumeration", "").split() for role in _roles(each)] == [True]
    ]
    if entity_id:
        found = [each for each in found if each.get("entityID") == entity_id]
    if len(found) != 1:
        named = f" of the name {entity_id!r}" if entity_id else ""
        raise NotProven(f"describe {len(found)} SAML 2.0 identity providers{named}, not one")
    return found[0]


def _roles(descriptor: Any) -> Any:
    return descriptor.findall("md:IDPSSODescriptor", _NS)


def _sign_in_url(role: Any) -> str:
    services = role.findall("md:SingleSignOnService", _NS)
    places = [each.get("Location", "") for each in services if each.get("Binding") == REDIRECT]
    if not places:
        raise NotProven("name no place to sign in by HTTP-Redirect")
    return check_address(places[0])


def check_address(text: str) -> str:
    """Return an address of the web, `https` except on this machine, or raise NotProven."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not (host and is_safe and text.isascii() and text.isprintable() and " " not in text) or parts.fragment:
        raise NotProven(f"name {text[:200]!r}, which is no https address")
    return text


def _certificates(role: Any) -> tuple[_Certificate, ...]:
    texts = [
        "".join((each.text or "").split())
        for descriptor in role.findall("md:KeyDescriptor", _NS)
        if descriptor.get("use") in {None, "signing"}
        for each in descriptor.iterfind("ds:KeyInfo/ds:X509Data/ds:X509Certificate", _NS)
    ]
    found = tuple(dict.fromkeys(map(_certificate, texts)))
    if not 1 <= len(found) <= _MOST_CERTIFICATES:
        raise NotProven(f"have {len(found)} certificates for signing, not 1 to {_MOST_CERTIFICATES}")
    return found


def _certificate(text: str) -> _Certificate:
    """Return a certificate, if its key is one that is taken."""
    try:
        found = x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
        key = found.public_key()
    except (binascii.Error, ValueError):
        raise NotProven("have a certificate that cannot be read") from None
    good = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= _LEAST_EC_BITS
    )
    if not good:
        raise NotProven(f"have a key that is neither RSA of {_LEAST_RSA_BITS} bits nor EC of {_LEAST_EC_BITS}")
    return _Certificate(found.public_bytes(Encoding.PEM).decode(), found.not_valid_after_utc)
