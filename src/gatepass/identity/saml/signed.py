"""The second verification: signxml. What it returns was signed, and nothing else is read."""

from collections.abc import Sequence
from typing import Any

from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.verifier import SignatureConfiguration, XMLVerifier

from gatepass.identity.saml.names import ASSERTION, DIGESTS, RESPONSE, SIGNATURES, NotProven
from gatepass.identity.saml.shape import Shape
from gatepass.model.text import shorten

_METHODS = frozenset(each for each in SignatureMethod if each.value in SIGNATURES)
_DIGESTS = frozenset(each for each in DigestAlgorithm if each.value in DIGESTS)


def signed_assertion(raw: bytes, shape: Shape, certificates: Sequence[str]) -> Any:
    """Return the assertion as it was signed, a tree of its own. Raises NotProven.

    `raw` is the document that `shape` is of. A signature of the response has to hold too, if there is one.
    """
    if shape.is_signed:
        check_response_signature(raw, shape.root.get("ID"), certificates)
    return _signed(raw, f"./{ASSERTION}/", certificates, (ASSERTION, shape.assertion.get("ID")))


def check_response_signature(raw: bytes, identity: str, certificates: Sequence[str]) -> None:
    """Raise NotProven unless the signature of the response holds."""
    _signed(raw, "./", certificates, (RESPONSE, identity))


def _signed(raw: bytes, location: str, certificates: Sequence[str], expected: tuple[str, str]) -> Any:
    """Return what the signature at `location` signs, if it is the element that is expected."""
    configuration = SignatureConfiguration(
        require_x509=True,
        location=location,
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
    )
    reason = "there is no certificate"
    for certificate in certificates:
        try:
            found: Any = XMLVerifier().verify(
                raw, x509_cert=certificate, id_attribute="ID", expect_config=configuration
            )
        except Exception as error:  # noqa: BLE001  it raises its own, lxml's and cryptography's; none of them is a yes
            reason = str(error)
            continue
        signed = found.signed_xml
        if signed is None or (signed.tag, signed.get("ID")) != expected:
            raise NotProven("has a signature over something else")
        return signed
    raise NotProven(f"is refused by signxml: {shorten(reason, most=200)}")
