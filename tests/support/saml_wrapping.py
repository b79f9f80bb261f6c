"""Signature wrapping: what was signed is there, and what is read is something else.

The attacks are numbered as in "On Breaking SAML" (Somorovsky and others, USENIX Security 2012).
"""

import copy
from collections.abc import Callable

from lxml import etree

from support.saml_idp import DS, NS, A, Answer, P, Pair, assertion_of, encoded, encrypt, make_pair, sign, signed

Maker = Callable[[Answer, Pair], str]
EVIL = "u-administrator"
CASES: dict[str, Maker] = {}


def case(name: str) -> Callable[[Maker], Maker]:
    """Add a maker to the cases."""

    def kept(maker: Maker) -> Maker:
        CASES[name] = maker
        return maker

    return kept


def _evil(assertion: etree._Element, *, keep_signature: bool = False) -> etree._Element:
    """Return a copy of an assertion, about somebody else."""
    made = copy.deepcopy(assertion)
    made.set("ID", "_evil")
    made.find(".//saml:NameID", NS).text = EVIL
    if not keep_signature:
        _unsign(made)
    return made


def _unsign(element: etree._Element) -> etree._Element | None:
    found = element.find("ds:Signature", NS)
    if found is not None:
        element.remove(found)
    return found


def _xsw_response(root: etree._Element, *, inside: bool) -> etree._Element:
    """1 and 2: the response that was signed hangs in, or beside, the signature of one that was not."""
    evil = copy.deepcopy(root)
    evil.set("ID", "_evil-response")
    evil.find(".//saml:NameID", NS).text = EVIL
    original = copy.deepcopy(root)
    _unsign(original)
    signature = evil.find("ds:Signature", NS)
    if signature is None:
        signature = assertion_of(evil).find("ds:Signature", NS)
    if inside:
        signature.append(original)
    else:
        signature.addprevious(original)
    return evil


def _xsw_assertion(root: etree._Element, number: int) -> etree._Element:
    """3 to 8: the assertion that was signed is somewhere, and one that was not is read."""
    original = assertion_of(root)
    evil = _evil(original, keep_signature=number in {5, 6, 8})
    signature = evil.find("ds:Signature", NS)
    if number == 3:
        original.addprevious(evil)
    elif number == 4:
        root.replace(original, evil)
        evil.append(original)
    elif number == 7:
        root.insert(1, etree.Element(f"{{{P}}}Extensions"))
        root[1].append(evil)
    else:
        root.replace(original, evil)
        _unsign(original)
        if signature is None or number == 5:
            root.append(original)
        elif number == 6:
            signature.append(original)
        else:
            etree.SubElement(signature, f"{{{DS}}}Object").append(original)
    return root


def _wrapped(number: int, what: str, *, sealed: bool = False) -> Maker:
    def made(answer: Answer, pair: Pair) -> str:
        root = signed(answer, pair, what=what)
        root = _xsw_response(root, inside=number == 1) if number <= 2 else _xsw_assertion(root, number)
        if sealed:
            encrypt(root, make_pair("own").certificate)
        return encoded(root)

    return made


WHAT = ("assertion", "response", "both")
CASES |= {f"wrapping {number}, {what} signed": _wrapped(number, what) for number in range(1, 9) for what in WHAT}
SEALED = {f"wrapping {number}, inside": _wrapped(number, "assertion", sealed=True) for number in (3, 4, 5, 6, 8)}
"""For a service that takes encrypted assertions only."""


@case("two signed assertions")
def _(answer: Answer, pair: Pair) -> str:
    root = signed(answer, pair)
    root.append(assertion_of(signed(answer.changed(name_id=EVIL), pair)))
    return encoded(root)


@case("an assertion in the advice of another")
def _(answer: Answer, pair: Pair) -> str:
    root = answer.tree()
    inner = copy.deepcopy(assertion_of(root))
    inner.set("ID", "_inner")
    advice = etree.SubElement(assertion_of(root), f"{{{A}}}Advice")
    assertion_of(root).insert(3, advice)
    advice.append(inner)
    sign(assertion_of(root), pair)
    return encoded(root)


@case("the same assertion twice")
def _(answer: Answer, pair: Pair) -> str:
    root = signed(answer, pair)
    root.append(copy.deepcopy(assertion_of(root)))
    return encoded(root)


@case("two names")
def _(answer: Answer, pair: Pair) -> str:
    root = answer.tree()
    name = root.find(".//saml:NameID", NS)
    other = copy.deepcopy(name)
    other.text = EVIL
    name.addprevious(other)
    sign(assertion_of(root), pair)
    return encoded(root)


@case("an encrypted assertion that was not wanted")
def _(answer: Answer, pair: Pair) -> str:
    root = signed(answer, pair)
    encrypt(root, make_pair("own").certificate)
    return encoded(root)


@case("an assertion in an attribute")
def _(answer: Answer, pair: Pair) -> str:
    root = answer.tree()
    inner = copy.deepcopy(assertion_of(root))
    inner.set("ID", "_inner")
    root.find(".//saml:AttributeValue", NS).append(inner)
    sign(assertion_of(root), pair)
    return encoded(root)


@case("an object in the signature")
def _(answer: Answer, pair: Pair) -> str:
    root = signed(answer, pair)
    etree.SubElement(assertion_of(root).find("ds:Signature", NS), f"{{{DS}}}Object")
    return encoded(root)
