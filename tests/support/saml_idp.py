"""A SAML identity provider that signs what it is told: responses as text, signatures by hand, keys made at run time.

It shares no code with what it tests, and can do wrong whatever a test wants wrong.
"""

import base64
import functools
import hashlib
import hmac
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from lxml import etree

P = "urn:oasis:names:tc:SAML:2.0:protocol"
A = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = DS + "enveloped-signature"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
NS = {"samlp": P, "saml": A, "ds": DS}

IDP = "https://idp.example.org/metadata"
SSO = "https://idp.example.org/sso"
SUBJECT = "u-7f3a91"
CALLBACK = "https://tokens.example.com/sign-in/corp/callback"
ENTITY = "https://tokens.example.com/sign-in/corp/metadata"


@dataclass(frozen=True)
class Pair:
    """A private key and a certificate that it signed itself."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def encoded(self) -> str:
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> str:
        kind = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


@functools.cache
def make_pair(name: str, kind: str = "rsa", bits: int = 2048, days: int = 30) -> Pair:
    """Make a key; the same one for the same name."""
    key = rsa.generate_private_key(65537, bits) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(named, named, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(now - timedelta(days=9)).not_valid_after(now + timedelta(days=days))
    return Pair(key, built.sign(key, hashes.SHA256()))


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Answer:
    """What a response says. Everything fits, unless a test changes it."""

    request_id: str
    now: datetime
    issuer: str = IDP
    response_issuer: str = IDP
    destination: str = CALLBACK
    recipient: str = CALLBACK
    audience: str = ENTITY
    in_response_to: str | None = None
    confirmed_request: str | None = None
    name_id: str = SUBJECT
    format: str = PERSISTENT
    qualifiers: str = ""
    status: str = "urn:oasis:names:tc:SAML:2.0:status:Success"
    begins: timedelta = timedelta(seconds=-30)
    ends: timedelta = timedelta(minutes=5)
    confirmation_ends: timedelta | None = timedelta(minutes=5)
    confirmation_begins: timedelta | None = None
    session_ends: timedelta = timedelta(hours=8)
    method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    conditions: str = ""
    attributes: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "uid": ("anna",),
            "displayName": ("Anna Öz",),
            "mail": ("anna@example.org",),
            "groups": ("staff", "token-admins"),
        }
    )
    assertion_id: str = ""
    extra: str = ""
    """XML at the end of the assertion."""

    def changed(self, **fields: object) -> "Answer":
        return replace(self, **fields)

    def tree(self) -> etree._Element:
        """Return the response, unsigned."""
        return etree.fromstring(self.text())

    def text(self) -> str:
        made = stamp(self.now)
        answered = self.request_id if self.in_response_to is None else self.in_response_to
        confirmed = self.request_id if self.confirmed_request is None else self.confirmed_request
        data = {"Recipient": self.recipient, "InResponseTo": confirmed}
        if self.confirmation_ends is not None:
            data["NotOnOrAfter"] = stamp(self.now + self.confirmation_ends)
        if self.confirmation_begins is not None:
            data["NotBefore"] = stamp(self.now + self.confirmation_begins)
        given = {name: value for name, value in data.items() if value}
        top = {"Destination": self.destination, "InResponseTo": answered}
        return f"""<samlp:Response xmlns:samlp="{P}" xmlns:saml="{A}" ID="_r{os.urandom(16).hex()}" Version="2.0" \
IssueInstant="{made}"{_attributes({name: value for name, value in top.items() if value})}>\
<saml:Issuer>{escape(self.response_issuer)}</saml:Issuer>\
<samlp:Status><samlp:StatusCode Value="{self.status}"/></samlp:Status>\
<saml:Assertion ID="{self.assertion_id or "_a" + os.urandom(16).hex()}" Version="2.0" IssueInstant="{made}">\
<saml:Issuer>{escape(self.issuer)}</saml:Issuer>\
<saml:Subject><saml:NameID Format="{self.format}"{self.qualifiers}>{escape(self.name_id)}</saml:NameID>\
<saml:SubjectConfirmation Method="{self.method}"><saml:SubjectConfirmationData{_attributes(given)}/>\
</saml:SubjectConfirmation></saml:Subject>\
<saml:Conditions NotBefore="{stamp(self.now + self.begins)}" NotOnOrAfter="{stamp(self.now + self.ends)}">\
<saml:AudienceRestriction><saml:Audience>{escape(self.audience)}</saml:Audience></saml:AudienceRestriction>\
{self.conditions}</saml:Conditions>\
<saml:AuthnStatement AuthnInstant="{made}" SessionIndex="_s1" SessionNotOnOrAfter="{stamp(self.now + self.session_ends)}">\
<saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password\
</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
<saml:AttributeStatement>{"".join(map(_attribute, self.attributes.items()))}</saml:AttributeStatement>{self.extra}\
</saml:Assertion></samlp:Response>"""


def _attributes(given: dict[str, str]) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in given.items())


def _attribute(given: tuple[str, tuple[str, ...]]) -> str:
    name, values = given
    texts = "".join(f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue>" for value in values)
    return f'<saml:Attribute Name="{name}">{texts}</saml:Attribute>'


def assertion_of(root: etree._Element) -> etree._Element:
    return root.find("saml:Assertion", NS)


def canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


_HASHES = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "md5": hashes.MD5,
}
_DIGESTS = {"sha1": DS + "sha1", "sha256": XENC + "sha256", "sha512": XENC + "sha512", "md5": MORE + "md5"}


def sign(
    element: etree._Element,
    pair: Pair,
    *,
    signature: str = MORE + "rsa-sha256",
    digest: str = "sha256",
    transforms: tuple[str, ...] = (ENVELOPED, EXCLUSIVE),
    target: etree._Element | None = None,
    uri: str | None = None,
    shown: Pair | None = None,
    before_signing: str = "",
    form: str = EXCLUSIVE,
) -> etree._Element:
    """Put a signature of `target` (by default: of `element`) into `element`, behind its issuer, and return it."""
    target = element if target is None else target
    uri = f"#{target.get('ID')}" if uri is None else uri
    value = base64.b64encode(hashlib.new(digest, canonical(target)).digest()).decode()
    steps = "".join(f'<ds:Transform Algorithm="{each}"/>' for each in transforms)
    made = etree.fromstring(
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{form}"/>'
        f'<ds:SignatureMethod Algorithm="{signature}"/><ds:Reference URI="{uri}"><ds:Transforms>{steps}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{_DIGESTS[digest]}"/><ds:DigestValue>{value}</ds:DigestValue></ds:Reference>'
        f"{before_signing}</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate>"
        f"{(shown or pair).encoded}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
    )
    element.insert(1, made)
    message = etree.tostring(made[0], method="c14n", exclusive=form == EXCLUSIVE)
    made.find("ds:SignatureValue", NS).text = base64.b64encode(_signed(message, pair, signature)).decode()
    return made


def _signed(message: bytes, pair: Pair, signature: str) -> bytes:
    kind, _, name = signature.partition("#")[2].rpartition("-")
    if kind == "hmac":  # with what everybody knows for the key
        return hmac.digest(pair.pem, message, name)
    algorithm = _HASHES[name]()
    if isinstance(pair.key, rsa.RSAPrivateKey):
        return pair.key.sign(message, padding.PKCS1v15(), algorithm)
    return b"".join(
        each.to_bytes(32, "big") for each in decode_dss_signature(pair.key.sign(message, ec.ECDSA(algorithm)))
    )


def signed(answer: Answer, pair: Pair, *, what: str = "assertion", **how: object) -> etree._Element:
    """Return the response with the `assertion`, the `response` or `both` signed."""
    root = answer.tree()
    if what in {"assertion", "both"}:
        sign(assertion_of(root), pair, **how)
    if what in {"response", "both"}:
        sign(root, pair, **how)
    return root


def encrypt(
    root: etree._Element,
    certificate: x509.Certificate,
    *,
    cipher: str = "aes256-gcm",
    wrap: str = "rsa-oaep-mgf1p",
    plain: bytes | None = None,
) -> None:
    """Replace the assertion by an encrypted one."""
    assertion = assertion_of(root)
    key, nonce = os.urandom(int(cipher[3:6]) // 8), os.urandom(12)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303  what rsa-oaep-mgf1p stands for
    wrapped = certificate.public_key().encrypt(key, oaep if wrap == "rsa-oaep-mgf1p" else padding.PKCS1v15())
    sealed = nonce + AESGCM(key).encrypt(nonce, canonical(assertion) if plain is None else plain, None)
    method = f"http://www.w3.org/2009/xmlenc11#{cipher}" if cipher.endswith("gcm") else XENC + cipher
    made = etree.fromstring(
        f'<saml:EncryptedAssertion xmlns:saml="{A}"><xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element">'
        f'<xenc:EncryptionMethod Algorithm="{method}"/><ds:KeyInfo xmlns:ds="{DS}"><xenc:EncryptedKey>'
        f'<xenc:EncryptionMethod Algorithm="{XENC}{wrap}"/><xenc:CipherData><xenc:CipherValue>'
        f"{base64.b64encode(wrapped).decode()}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
        f"<xenc:CipherData><xenc:CipherValue>{base64.b64encode(sealed).decode()}</xenc:CipherValue></xenc:CipherData>"
        "</xenc:EncryptedData></saml:EncryptedAssertion>"
    )
    root.replace(assertion, made)


def metadata(
    *pairs: Pair, entity_id: str = IDP, sso: str = SSO, use: str = ' use="signing"', attributes: str = ""
) -> str:
    """Return the metadata of the identity provider."""
    keys = "".join(
        f'<md:KeyDescriptor{use}><ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>{pair.encoded}'
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for pair in pairs
    )
    return (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}"{attributes}>'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{P}">{keys}<md:SingleSignOnService '
        f'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso}"/></md:IDPSSODescriptor>'
        "</md:EntityDescriptor>"
    )


def encoded(root: etree._Element | bytes | str) -> str:
    """Return what the form field `SAMLResponse` holds."""
    raw = root.encode() if isinstance(root, str) else root if isinstance(root, bytes) else etree.tostring(root)
    return base64.b64encode(raw).decode()
