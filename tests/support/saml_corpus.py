"""Responses that nobody may be let in by: `CASES` has a name and a maker for each.

A maker takes an `Answer` that fits in everything and the identity provider's key, and returns what is posted.
"""

import copy
from collections.abc import Callable
from datetime import timedelta

from lxml import etree

from support import saml_wrapping
from support.saml_idp import (
    DS,
    ENVELOPED,
    EXCLUSIVE,
    MORE,
    NS,
    A,
    Answer,
    P,
    Pair,
    assertion_of,
    encoded,
    make_pair,
    sign,
    signed,
)
from support.saml_wrapping import EVIL, Maker

CASES: dict[str, Maker] = dict(saml_wrapping.CASES)


def case(name: str) -> Callable[[Maker], Maker]:
    def kept(maker: Maker) -> Maker:
        CASES[name] = maker
        return maker

    return kept


# -- What a rightly signed answer says, and should not. --

_MINUTES = timedelta(minutes=1)
_CHANGES: dict[str, dict[str, object]] = {
    "audience of another": {"audience": "https://other.example.com/metadata"},
    "audience that ours begins with": {"audience": "https://tokens.example.com"},
    "audience with a slash more": {"audience": "https://tokens.example.com/sign-in/corp/metadata/"},
    "two audience restrictions": {
        "conditions": "<saml:AudienceRestriction><saml:Audience>https://other.example.com</saml:Audience></saml:AudienceRestriction>"
    },
    "recipient of another": {"recipient": "https://other.example.com/sign-in/corp/callback"},
    "recipient that has ours in it": {"recipient": "https://tokens.example.com/sign-in/corp/callback/of/evil"},
    "no recipient": {"recipient": ""},
    "destination of another": {"destination": "https://other.example.com/sign-in/corp/callback"},
    "destination that begins with ours": {
        "destination": "https://tokens.example.com/sign-in/corp/callback.evil.example"
    },
    "no destination": {"destination": ""},
    "issuer of another": {"issuer": "https://evil.example.org/metadata"},
    "issuer with a space": {"issuer": "https://idp.example.org/metadata "},
    "another issuer of the response": {"response_issuer": "https://evil.example.org/metadata"},
    "answer to another request": {"in_response_to": "_another", "confirmed_request": "_another"},
    "answer to another request inside": {"confirmed_request": "_another"},
    "answer to another request outside": {"in_response_to": "_another"},
    "unsolicited": {"in_response_to": "", "confirmed_request": ""},
    "unsolicited inside": {"confirmed_request": ""},
    "unsolicited outside": {"in_response_to": ""},
    "not yet": {"begins": 2 * _MINUTES},
    "over": {"begins": -10 * _MINUTES, "ends": -2 * _MINUTES},
    "confirmation over": {"confirmation_ends": -2 * _MINUTES},
    "confirmation not yet": {"confirmation_begins": 2 * _MINUTES},
    "confirmation without an end": {"confirmation_ends": None},
    "session over": {"session_ends": -2 * _MINUTES},
    "status: the provider refuses": {"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"},
    "another way of confirmation": {"method": "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"},
    "a name that changes": {"format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"},
    "an e-mail address for a name": {"format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"},
    "an e-mail address that calls itself lasting": {"name_id": "Anna@example.org"},
    "a name that another provider gave": {"qualifiers": ' NameQualifier="https://evil.example.org"'},
    "a name for another service": {"qualifiers": ' SPNameQualifier="https://other.example.com"'},
    "no name": {"name_id": ""},
    "an endless name": {"name_id": "u" * 300},
    "a name with a line in it": {"name_id": "u\nv"},
    "an unknown condition": {
        "conditions": '<saml:Condition xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="saml:OneTimeUseType"/>'
    },
    "an id that is none": {"assertion_id": "a' or '1'='1"},
    "an endless id": {"assertion_id": "_" + "a" * 300},
    "an assertion about permissions": {
        "extra": '<saml:AuthzDecisionStatement Resource="x" Decision="Permit"><saml:Action Namespace="x">y</saml:Action></saml:AuthzDecisionStatement>'
    },
    "more than 256 KiB": {"attributes": {"uid": ("a" * 256 * 1024,)}},
}


def _changed(fields: dict[str, object]) -> Maker:
    return lambda answer, pair: encoded(signed(answer.changed(**fields), pair))


CASES |= {name: _changed(fields) for name, fields in _CHANGES.items()}


# -- Signatures. --

_HOW: dict[str, dict[str, object]] = {
    "SHA-1 signature": {"signature": DS + "rsa-sha1"},
    "SHA-1 digest": {"digest": "sha1"},
    "MD5 signature": {"signature": MORE + "rsa-md5"},
    "MD5 digest": {"digest": "md5"},
    "HMAC with the certificate": {"signature": MORE + "hmac-sha256"},
    "no transform": {"transforms": ()},
    "enveloped alone": {"transforms": (ENVELOPED,)},
    "with comments": {"transforms": (ENVELOPED, EXCLUSIVE + "WithComments")},
    "inclusive": {"transforms": (ENVELOPED, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")},
    "XPath": {"transforms": (ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116", EXCLUSIVE)},
    "XSLT": {"transforms": (ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116", EXCLUSIVE)},
    "base64": {"transforms": (ENVELOPED, DS + "base64", EXCLUSIVE)},
    "inclusive form": {"form": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"},
    "over the whole document": {"uri": ""},
    "over an id that is not there": {"uri": "#_nothing"},
    "over a file": {"uri": "file:///etc/hostname"},
    "over an address": {"uri": "http://127.0.0.1:9/"},
    "over an XPointer": {"uri": "#xpointer(/)"},
    "two references": {
        "before_signing": f'<ds:Reference URI="#x"><ds:DigestMethod Algorithm="{MORE}sha384"/><ds:DigestValue>eA==</ds:DigestValue></ds:Reference>'
    },
}


def _how(how: dict[str, object]) -> Maker:
    return lambda answer, pair: encoded(signed(answer, pair, **how))


CASES |= {f"signature: {name}": _how(how) for name, how in _HOW.items()}


@case("nothing signed")
def _(answer: Answer, pair: Pair) -> str:
    return encoded(answer.tree())


@case("only the response signed")
def _(answer: Answer, pair: Pair) -> str:
    return encoded(signed(answer, pair, what="response"))


@case("signed by a stranger")
def _(answer: Answer, pair: Pair) -> str:
    return encoded(signed(answer, make_pair("stranger")))


@case("signed by a stranger under the provider's certificate")
def _(answer: Answer, pair: Pair) -> str:
    return encoded(signed(answer, make_pair("stranger"), shown=pair))


@case("response signed by a stranger")
def _(answer: Answer, pair: Pair) -> str:
    root = signed(answer, pair)
    sign(root, make_pair("stranger"))
    return encoded(root)


@case("a key beside the certificate")
def _(answer: Answer, pair: Pair) -> str:
    root = signed(answer, make_pair("stranger"))
    info = root.find(".//ds:KeyInfo", NS)
    info.clear()
    etree.SubElement(info, f"{{{DS}}}KeyName").text = "stranger"
    return encoded(root)


@case("signature of the response moved to the assertion")
def _(answer: Answer, pair: Pair) -> str:
    root = signed(answer, pair, what="response")
    assertion_of(root).insert(1, root.find("ds:Signature", NS))
    return encoded(root)


@case("assertion signed over the response")
def _(answer: Answer, pair: Pair) -> str:
    root = answer.tree()
    sign(assertion_of(root), pair, target=root)
    return encoded(root)


def _edited(name: str, change: Callable[[etree._Element], None]) -> None:
    for what in ("assertion", "both"):

        def made(answer: Answer, pair: Pair, what: str = what) -> str:
            root = signed(answer, pair, what=what)
            change(root)
            return encoded(root)

        CASES[f"{name}, {what} signed"] = made


def _set(path: str, text: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        root.find(path, NS).text = text

    return change


def _splice(path: str, node: Callable[[], etree._Element]) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        found = root.find(path, NS)
        added = node()
        added.tail, found.text = found.text[4:], found.text[:4]
        found.append(added)

    return change


_edited("another name put in", _set(".//saml:NameID", EVIL))
_edited("another group put in", _set(".//saml:AttributeValue", "root"))
_edited("signature emptied", _set(".//saml:Assertion//ds:SignatureValue", ""))
_edited("digest emptied", _set(".//saml:Assertion//ds:DigestValue", ""))
_edited("comment in the name", _splice(".//saml:NameID", lambda: etree.Comment("x")))
_edited("comment in an attribute", _splice(".//saml:AttributeValue", lambda: etree.Comment("x")))
_edited("instruction in the name", _splice(".//saml:NameID", lambda: etree.ProcessingInstruction("x", "y")))
_edited("element in the name", _splice(".//saml:NameID", lambda: etree.Element("x")))
_edited("comment before the assertion", lambda root: root.insert(2, etree.Comment("x")))


def _around(name: str, place: int, xml: str) -> None:
    """Add something to the response, which is not signed."""

    def made(answer: Answer, pair: Pair) -> str:
        root = signed(answer, pair)
        wrapped = f'<x xmlns:samlp="{P}" xmlns:saml="{A}">{xml}</x>'
        root.insert(place, etree.fromstring(wrapped)[0])
        return encoded(root)

    CASES[name] = made


_around("extension of the response", 1, '<samlp:Extensions><x xmlns="urn:x"/></samlp:Extensions>')
_around("two issuers of the response", 1, "<saml:Issuer>https://idp.example.org/metadata</saml:Issuer>")
_around(
    "two statuses",
    1,
    '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>',
)


def _before(name: str, change: Callable[[etree._Element], None]) -> None:
    """Let the provider sign something that it should not say."""

    def made(answer: Answer, pair: Pair) -> str:
        root = answer.tree()
        change(assertion_of(root))
        sign(assertion_of(root), pair)
        return encoded(root)

    CASES[name] = made


def _drop(path: str) -> Callable[[etree._Element], None]:
    def change(assertion: etree._Element) -> None:
        found = assertion.find(path, NS)
        found.getparent().remove(found)

    return change


def _twice(path: str) -> Callable[[etree._Element], None]:
    def change(assertion: etree._Element) -> None:
        found = assertion.find(path, NS)
        found.addnext(copy.deepcopy(found))

    return change


_before("an assertion of SAML 1.1", lambda assertion: assertion.set("Version", "1.1"))
_before("an element in the name, signed", _splice("saml:Subject/saml:NameID", lambda: etree.Element("x")))
for _path in ("saml:Subject", "saml:Conditions", "saml:AuthnStatement", "saml:Subject/saml:SubjectConfirmation"):
    _before(f"without {_path}", _drop(_path))
    _before(f"twice {_path}", _twice(_path))
_before("without an audience", _drop("saml:Conditions/saml:AudienceRestriction"))
_before("without a name", _drop("saml:Subject/saml:NameID"))


# -- The text itself. --


def _text(name: str, change: Callable[[str], str | bytes]) -> None:
    CASES[name] = lambda answer, pair: encoded(change(etree.tostring(signed(answer, pair), encoding="unicode")))


_text("DOCTYPE", lambda text: "<!DOCTYPE r>" + text)
_text("DOCTYPE behind a comment", lambda text: "<!-- x --><!DOCTYPE r>" + text)
_text("entity", lambda text: '<!DOCTYPE r [<!ENTITY e "anna">]>' + text.replace(">anna<", ">&e;<"))
_text(
    "entity of a file",
    lambda text: '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + text.replace(">anna<", ">&e;<"),
)
_text(
    "entities of entities",
    lambda text: (
        '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
        + "]>"
        + text.replace(">anna<", ">&i;<")
    ),
)
_text("entity that is not there", lambda text: text.replace(">anna<", ">&e;<"))
_text("an id by default", lambda text: f'<!DOCTYPE r [<!ATTLIST saml:Assertion ID CDATA "{EVIL}">]>' + text)
_text("CDATA in the name", lambda text: text.replace("u-7f3a91", "u-<![CDATA[7f3a91]]>"))
_text("instruction at the top", lambda text: "<?xml-stylesheet href='x'?>" + text)
_text("UTF-16", lambda text: text.encode("utf-16"))
_text("UTF-7 declared", lambda text: '<?xml version="1.0" encoding="UTF-7"?>' + text)
_text("Latin-1 declared", lambda text: '<?xml version="1.0" encoding="ISO-8859-1"?>' + text)
_text("not UTF-8", lambda text: text.encode().replace(b"anna", b"\xff\xfe"))
_text("U+0000", lambda text: text.replace("anna", "an\0na"))
_text("XML 1.1", lambda text: '<?xml version="1.1"?>' + text)
_text("two roots", lambda text: text + text)
_text("half", lambda text: text[: len(text) // 2])
_text("deep", lambda text: "<x>" * 100_000)
_text("attribute twice", lambda text: text.replace(' Version="2.0"', ' Version="2.0" Version="2.0"', 1))
_text("id twice", lambda text: text.replace("<samlp:Status>", f'<samlp:Status ID="{text.split(chr(34), 6)[5]}">', 1))
_text("SAML 1.1", lambda text: text.replace('Version="2.0"', 'Version="1.1"', 1))
_text("no response at all", lambda text: "<x/>")
_text("another kind of response", lambda text: text.replace("samlp:Response", "samlp:ArtifactResponse"))
_text("nothing", lambda text: "")


@case("UTF-16 without a mark")
def _(answer: Answer, pair: Pair) -> str:
    ascii_only = answer.changed(attributes={"uid": ("anna",)})
    text = '<?xml version="1.0" encoding="UTF-16"?>' + etree.tostring(signed(ascii_only, pair), encoding="unicode")
    return encoded(text.encode("utf-16-le"))


CASES["no base64"] = lambda answer, pair: "<samlp:Response/>"
CASES["base64 that goes on"] = lambda answer, pair: encoded(signed(answer, pair)) + "===="
