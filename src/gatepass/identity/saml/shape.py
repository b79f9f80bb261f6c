"""What may stand where in a response. Nothing is believed yet; whatever is not expected is refused.

SECURITY: signature wrapping needs a second assertion, a second bearer of an id, a signature elsewhere or one over
something else. None of them has this shape.
"""

import re
from dataclasses import dataclass
from typing import Any

from gatepass.identity.saml.names import (
    ASSERTION,
    ASSERTIONS,
    DIGESTS,
    DSIG,
    ENCRYPTED_ASSERTION,
    ENVELOPED,
    EXCLUSIVE,
    ISSUER,
    RESPONSE,
    SIGNATURE,
    SIGNATURES,
    STATUS,
    NotProven,
)

_ID = re.compile(r"\A[A-Za-z_][\w.-]{0,254}\Z", re.ASCII)
_IDS = ("ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id")
_IN_RESPONSE = {ISSUER, SIGNATURE, STATUS, ASSERTION, ENCRYPTED_ASSERTION}
_IN_ASSERTION = {
    ISSUER,
    SIGNATURE,
    *(f"{{{ASSERTIONS}}}{name}" for name in ("Subject", "Conditions", "AuthnStatement", "AttributeStatement")),
}
_ONE_EACH = (ISSUER, SIGNATURE, f"{{{ASSERTIONS}}}Subject", f"{{{ASSERTIONS}}}Conditions")
_ROOTS = {RESPONSE, ASSERTION, ENCRYPTED_ASSERTION}


@dataclass(frozen=True, slots=True)
class Shape:
    """A response whose parts are where they belong."""

    root: Any
    assertion: Any
    """The one assertion, plain or encrypted."""
    is_signed: bool
    """Whether the response has a signature of its own, besides that of the assertion."""


def check_shape(root: Any) -> Shape:
    """Return the parts of a response, or raise NotProven."""
    _require(root.tag == RESPONSE, "is no response")
    _require(root.get("Version") == "2.0", "is not of SAML 2.0")
    _check_ids(root)
    tags = [each.tag for each in root]
    _require(set(tags) <= _IN_RESPONSE, "has something unexpected in the response")
    assertions = [each for each in root if each.tag in {ASSERTION, ENCRYPTED_ASSERTION}]
    _require(len(assertions) == 1, f"has {len(assertions)} assertions, not one")
    _require(max(tags.count(ISSUER), tags.count(SIGNATURE)) <= 1, "has a part of the response twice")
    _require(tags.count(STATUS) == 1, "has not one status")
    _check_nothing_elsewhere(root, assertions[0])
    is_signed = SIGNATURE in tags
    if is_signed:
        check_signature(root)
    if assertions[0].tag == ASSERTION:
        _check_assertion(assertions[0])
    return Shape(root, assertions[0], is_signed)


def _check_assertion(assertion: Any) -> None:
    tags = [each.tag for each in assertion]
    _require(set(tags) <= _IN_ASSERTION, "has something unexpected in the assertion")
    _require(assertion.get("Version") == "2.0", "has an assertion that is not of SAML 2.0")
    for tag in _ONE_EACH:
        name = tag.rpartition("}")[2]
        _require(tags.count(tag) == 1, f"has an assertion with {tags.count(tag)} times {name}, not one")
    check_signature(assertion)


def _check_ids(root: Any) -> None:
    seen: set[str] = set()
    for element in root.iter():
        for name in _IDS:
            value = element.get(name)
            _require(value is None or value not in seen, "has an id twice")
            seen |= {value} if value is not None else set()


def _check_nothing_elsewhere(root: Any, assertion: Any) -> None:
    """Refuse signatures, assertions and responses that are not where one reads them."""
    places = {root, assertion}
    for element in root.iter():
        if element.tag in _ROOTS:
            _require(element in places, "has an assertion or a response inside another element")
        elif element.tag == SIGNATURE:
            _require(element.getparent() in places, "has a signature elsewhere")


def check_signature(owner: Any) -> None:
    """Refuse a signature that is not one plain signature of the element it stands in, by a good algorithm."""
    identity = owner.get("ID", "")
    _require(_ID.match(identity) is not None, "has an id that is none")
    signature = owner.find(SIGNATURE)
    parts = _children(signature)
    _require(
        parts[:2] == ["SignedInfo", "SignatureValue"] and parts[2:] in ([], ["KeyInfo"]),
        "has something unexpected in a signature",
    )
    info = signature[0]
    _require(
        _children(info) == ["CanonicalizationMethod", "SignatureMethod", "Reference"],
        "has a signature that is not over one thing",
    )
    canonical, method, reference = info
    _require(canonical.get("Algorithm") == EXCLUSIVE, "has a signature in a form that is not exclusive")
    _require(method.get("Algorithm") in SIGNATURES, f"is signed by {method.get('Algorithm')!r}")
    _require(len(method) == 0, "has parameters of a signature")
    _require(dict(reference.attrib) == {"URI": f"#{identity}"}, "has a signature over something else")
    _check_reference(reference)


def _check_reference(reference: Any) -> None:
    _require(
        _children(reference) == ["Transforms", "DigestMethod", "DigestValue"], "has something unexpected in a reference"
    )
    transforms, digest, _ = reference
    _require(
        [each.get("Algorithm") for each in transforms] == [ENVELOPED, EXCLUSIVE],
        "has other transforms of what is signed",
    )
    _require(digest.get("Algorithm") in DIGESTS, f"is digested by {digest.get('Algorithm')!r}")


def _children(element: Any) -> list[str]:
    """Return the names of the children; those of another namespace than XML signatures' have it."""
    return [each.tag.removeprefix(f"{{{DSIG}}}") for each in element]


def _require(holds: bool, detail: str) -> None:
    if not holds:
        raise NotProven(detail)
